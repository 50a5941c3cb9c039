package sampo.glue

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import groovy.transform.CompileStatic
import qupath.lib.common.ColorTools
import qupath.lib.io.GsonTools
import qupath.lib.measurements.MeasurementList
import qupath.lib.objects.PathObject
import qupath.lib.objects.PathObjects
import qupath.lib.objects.classes.PathClass
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.ROIs
import qupath.lib.roi.interfaces.ROI

/** GeoJSON features of the server and objects of QuPath. */
@CompileStatic
class Features {
    static final String SCORE = 'SAMPO score'
    static final String UNCERTAINTY = 'SAMPO uncertainty'

    /**
     * A detection with the feature's id, class, colour and measurements.
     * @throws RuntimeException for a feature that is none
     */
    static PathObject toDetection(JsonObject feature, ImagePlane plane) {
        ROI roi = toRoi(feature.getAsJsonObject('geometry'), plane)
        JsonObject properties = feature.getAsJsonObject('properties')
        PathObject detection = PathObjects.createDetectionObject(roi, classOf(properties))
        String id = Json.text(feature, 'id')
        if (id != null) detection.setID(UUID.fromString(id))
        measure(detection, feature)
        return detection
    }

    /** Gives an object the measurements of a feature. @return whether one of them was another before */
    static boolean measure(PathObject object, JsonObject feature) {
        JsonElement measured = feature.getAsJsonObject('properties').get('measurements')
        if (measured == null || !measured.isJsonObject()) return false
        MeasurementList list = object.measurementList
        boolean changed = false
        for (Map.Entry<String, JsonElement> entry : measured.asJsonObject.entrySet()) {
            double value = entry.value.asDouble
            // QuPath keeps measurements of detections as 32-bit numbers.
            if ((float) list.get(entry.key) != (float) value) {
                list.put(entry.key, value)
                changed = true
            }
        }
        if (changed) list.close()
        return changed
    }

    /**
     * Every feature that can be read, as detections. One that cannot be read loses itself, not the others.
     * @param onBad hears the feature and why
     */
    static List<PathObject> toDetections(Iterable<JsonObject> features, ImagePlane plane, Closure<?> onBad) {
        List<PathObject> detections = new ArrayList<>()
        for (JsonObject feature : features) {
            try {
                detections.add(toDetection(feature, plane))
            } catch (RuntimeException bad) {
                onBad.call(feature, bad.message ?: bad.class.simpleName)
            }
        }
        return detections
    }

    /** A plain polygon is made directly; one with holes or several parts by QuPath's own reader. */
    static ROI toRoi(JsonObject geometry, ImagePlane plane) {
        JsonArray coordinates = geometry.getAsJsonArray('coordinates')
        if (geometry.get('type').asString == 'Polygon' && coordinates.size() == 1) {
            JsonArray ring = coordinates.get(0).asJsonArray
            // GeoJSON repeats the first position at the end, QuPath does not.
            int count = ring.size() - 1
            if (count < 3) throw new IllegalArgumentException("a ring of ${ring.size()} positions" as String)
            double[] x = new double[count], y = new double[count]
            for (int i = 0; i < count; i++) {
                JsonArray position = ring.get(i).asJsonArray
                x[i] = position.get(0).asDouble
                y[i] = position.get(1).asDouble
            }
            return ROIs.createPolygonROI(x, y, plane)
        }
        JsonObject placed = geometry.deepCopy()
        placed.add('plane', Json.object(c: -1, z: plane.z, t: plane.t))
        ROI roi = GsonTools.instance.fromJson(placed, ROI)
        if (roi == null || roi.isEmpty()) throw new IllegalArgumentException('an empty outline')
        return roi
    }

    /** An area as GeoJSON geometry, type and coordinates alone. */
    static JsonObject toGeometry(ROI roi) {
        // By way of text: QuPath's writer cannot write into a tree.
        JsonObject written = JsonParser.parseString(GsonTools.instance.toJson(roi, ROI)).asJsonObject
        return Json.object(type: written.get('type'), coordinates: written.get('coordinates'))
    }

    /** An object as an example for the server. */
    static JsonObject toFeature(PathObject object) {
        return Json.object(type: 'Feature', id: object.ID.toString(), geometry: toGeometry(object.ROI), properties: [objectType: 'detection'])
    }

    /** The class, made with the colour where QuPath does not have it yet; null for none. */
    static PathClass classOf(JsonObject properties) {
        JsonElement given = properties.get('classification')
        if (given == null || !given.isJsonObject()) return null
        JsonArray color = given.asJsonObject.getAsJsonArray('color')
        Integer packed = color == null ? null : ColorTools.packRGB(color.get(0).asInt, color.get(1).asInt, color.get(2).asInt)
        return PathClass.fromString(given.asJsonObject.get('name').asString, packed)
    }

    static String className(JsonObject feature) {
        JsonElement given = feature.getAsJsonObject('properties').get('classification')
        return given != null && given.isJsonObject() ? Json.text(given.asJsonObject, 'name') : null
    }

    /** The score the server gave, 0 to 1; NaN for none. */
    static double score(JsonObject feature) {
        JsonElement measured = feature.getAsJsonObject('properties').get('measurements')
        JsonElement score = measured != null && measured.isJsonObject() ? measured.asJsonObject.get(SCORE) : null
        return score == null ? Double.NaN : score.asDouble
    }

    /** As the wire has it: [r, g, b]. */
    static List<Integer> colorOf(PathClass pathClass) {
        Integer packed = pathClass?.color
        return packed == null ? null : [ColorTools.red(packed), ColorTools.green(packed), ColorTools.blue(packed)]
    }
}
