package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic

/** Objects to judge next, most uncertain first, and pictures of them where they were asked for. */
@CompileStatic
class ReviewPage {
    final List<JsonObject> objects
    /** Pictures by the id of their object; empty when none were asked for. */
    final Map<String, Thumbnail> thumbnails
    /** Objects of the search that were judged, and all of them. */
    final int judged
    final int total

    ReviewPage(JsonObject answer) {
        objects = Json.objects(answer, 'objects')
        thumbnails = Json.objects(answer, 'thumbnails').collectEntries { JsonObject picture -> [Json.text(picture, 'objectId'), new Thumbnail(picture)] }
        judged = answer.get('judged').asInt
        total = answer.get('total').asInt
    }
}
