package qupath.lib.io

import com.google.gson.Gson
import com.google.gson.GsonBuilder
import com.google.gson.JsonArray
import com.google.gson.JsonDeserializer
import com.google.gson.JsonObject
import com.google.gson.JsonSerializer
import qupath.lib.geom.Point2
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.OutlineROI
import qupath.lib.roi.interfaces.ROI

class GsonTools {
    static Gson getInstance() {
        return new GsonBuilder()
            .registerTypeHierarchyAdapter(ROI, { roi, type, context -> write((OutlineROI) roi) } as JsonSerializer)
            .registerTypeHierarchyAdapter(ROI, { json, type, context -> read(json.asJsonObject) } as JsonDeserializer)
            .create()
    }

    private static JsonObject write(OutlineROI roi) {
        def made = new JsonObject()
        made.addProperty('type', roi.parts.size() == 1 ? 'Polygon' : 'MultiPolygon')
        def parts = roi.parts.collect { part -> array(part.collect { ring -> array((ring + [ring[0]]).collect { numbers(it.x, it.y) }) }) }
        made.add('coordinates', parts.size() == 1 ? parts[0] : array(parts))
        return made
    }

    private static ROI read(JsonObject json) {
        def parts = json.get('type').asString == 'Polygon' ? [json.getAsJsonArray('coordinates')] : json.getAsJsonArray('coordinates').toList()
        def plane = json.getAsJsonObject('plane')
        return new OutlineROI(parts.collect { part -> part.asJsonArray.collect { ring ->
            if (ring.asJsonArray.size() < 4) throw new IllegalArgumentException('too few positions')
            ring.asJsonArray.collect { new Point2(it.asJsonArray[0].asDouble, it.asJsonArray[1].asDouble) }.dropRight(1)
        } }, false, ImagePlane.getPlane(plane.get('z').asInt, plane.get('t').asInt))
    }

    private static JsonArray array(List elements) { def made = new JsonArray(); elements.each { made.add(it) }; return made }
    private static JsonArray numbers(double x, double y) { def made = new JsonArray(); made.add(x); made.add(y); return made }
}
