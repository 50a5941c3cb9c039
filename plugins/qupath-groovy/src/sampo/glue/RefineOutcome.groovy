package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic

/** How a refinement ended, and what it did to the open image. */
@CompileStatic
class RefineOutcome {
    final String intentId
    /** Version made; null when it was stopped. */
    final String checkpointId
    /** Version in use before; null for the model as shipped. */
    final String previousId
    /** False when the hold-out says that it got worse: nothing has changed then. */
    final boolean activated
    /** For a person. */
    final String verdict
    final JsonObject metrics
    final double seconds
    final PlacedChange change

    RefineOutcome(String intentId, String previousId, JsonObject answer, PlacedChange change) {
        this.intentId = intentId
        this.previousId = previousId
        this.checkpointId = Json.text(answer, 'checkpointId')
        this.activated = answer.get('activated').asBoolean
        this.verdict = answer.get('verdict').asString
        this.metrics = answer.getAsJsonObject('metrics')
        this.seconds = answer.get('seconds').asDouble
        this.change = change
    }
}
