package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.geom.Point2
import qupath.lib.objects.PathObject
import qupath.lib.roi.interfaces.ROI

/** What a user has shown of one intent: clicks of the tool, points and outlines of QuPath. */
@CompileStatic
class Prompts {
    final String intentId
    final List<JsonObject> clicks = new ArrayList<>()
    final List<JsonObject> examples = new ArrayList<>()

    Prompts(String intentId) { this.intentId = intentId }

    Prompts add(Collection<Click> made) {
        for (Click click : made) if (click.intentId == intentId) clicks.add(Json.object(x: click.x, y: click.y, positive: click.positive))
        return this
    }

    /** Points become clicks, areas become examples; what is neither is passed over. */
    Prompts addObjects(Collection<? extends PathObject> objects, boolean positive = true) {
        for (PathObject object : objects) {
            ROI roi = object.ROI
            if (roi == null || roi.isEmpty()) continue
            if (roi.isPoint()) for (Point2 point : roi.allPoints) clicks.add(Json.object(x: point.x, y: point.y, positive: positive))
            else if (roi.isArea() && positive) examples.add(Features.toFeature(object))
            else if (roi.isArea()) clicks.add(Json.object(x: roi.centroidX, y: roi.centroidY, positive: false))
        }
        return this
    }

    boolean isEmpty() { return clicks.isEmpty() && examples.isEmpty() }

    JsonObject params() {
        Map<String, Object> members = [intentId: (Object) intentId]
        if (!clicks.isEmpty()) members.put('clicks', clicks)
        if (!examples.isEmpty()) members.put('exampleObjects', examples)
        return Json.object(members)
    }
}
