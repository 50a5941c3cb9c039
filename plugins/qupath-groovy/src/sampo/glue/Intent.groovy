package sampo.glue

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic

/** What a user looks for, as the server keeps it: a class name, a colour, examples, versions. */
@CompileStatic
class Intent {
    final String id
    final String name
    /** Red, green, blue, 0 to 255. */
    final List<Integer> color
    /** Stored examples, and how many of them say "this". */
    final int examples
    final int positives
    final int judgements
    /** The refinement in use; null for the model as shipped. */
    final String checkpointId

    Intent(JsonObject json) {
        id = json.get('intentId').asString
        name = json.get('name').asString
        color = json.getAsJsonArray('color').collect { JsonElement part -> part.asInt }
        examples = json.get('exemplars').asInt
        positives = json.get('positives').asInt
        judgements = json.get('judgements').asInt
        checkpointId = Json.text(json, 'checkpointId')
    }
}
