package sampo.glue

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic

/** What a search brought. */
@CompileStatic
class SearchOutcome {
    final String resultId
    final JsonObject extent
    final List<String> intentIds
    /** What became of the image. */
    final PlacedChange change
    /** Objects found, by class name. */
    final Map<String, Integer> counts
    /** For the person at the viewer: assumptions and what was left out. */
    final List<String> warnings
    /** Candidates of each click: promptId, intentId, click, masks. */
    final List<JsonObject> candidates
    /** Seconds on the server. */
    final double seconds
    /** From asking to the last object placed, seconds. */
    final double wholeSeconds
    final int failedTiles

    SearchOutcome(JsonObject answer, JsonObject extent, List<String> intentIds, PlacedChange change, Map<String, Integer> counts, double wholeSeconds) {
        this.resultId = answer.get('resultId').asString
        this.extent = extent
        this.intentIds = intentIds
        this.change = change
        this.counts = counts
        this.warnings = Json.objects(answer, 'warnings').collect { JsonObject one -> Json.text(one, 'message') }
        this.candidates = Json.objects(answer, 'candidates')
        this.seconds = answer.get('seconds').asDouble
        this.wholeSeconds = wholeSeconds
        JsonElement failed = answer.getAsJsonObject('tiles').get('failed')
        this.failedTiles = failed.asJsonArray.size()
    }

    int getTotal() { return counts.values().sum(0) as int }
}
