package sampo.glue

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.objects.PathObject
import qupath.lib.roi.interfaces.ROI

/** Gives objects of the user the class of the intent they fit; nothing is added, moved or taken away. */
@CompileStatic
class Classifying {
    /** Around the objects, so that a nucleus at the edge is seen whole, image px. */
    private static final double MARGIN = 8

    /** As ImageSession.classify. */
    static int classify(ImageSession session, Collection<PathObject> objects, List<Intent> intents, Closure<?> onProgress) {
        List<PathObject> areas = objects.findAll { PathObject object -> object.ROI != null && object.ROI.isArea() && !object.isLocked() }.toList()
        if (areas.isEmpty()) throw new IllegalArgumentException('select cells or detections first: there is nothing to classify')
        session.open()
        JsonObject params = session.searches.params(intents, [], around(areas, session), false)
        JsonObject answer = session.searches.ask(params, onProgress)
        List<JsonObject> features = Json.objects(answer.getAsJsonObject('featureCollection'), 'features')
        List<PathObject> found = Features.toDetections(features, session.image.plane) { JsonObject feature, String why -> }
        List<PathObject> changed = new ArrayList<>()
        for (PathObject object : areas) {
            PathObject match = found.find { PathObject candidate -> covers(object.ROI, candidate.ROI) || covers(candidate.ROI, object.ROI) }
            if (match == null) continue
            object.pathClass = match.pathClass
            for (String name : [Features.SCORE, Features.UNCERTAINTY]) {
                Number value = match.measurements.get(name)
                if (value != null) object.measurementList.put(name, value.doubleValue())
            }
            changed.add(object)
        }
        session.data.hierarchy.fireObjectClassificationsChangedEvent(session, changed)
        return changed.size()
    }

    private static boolean covers(ROI outer, ROI inner) { return outer.contains(inner.centroidX, inner.centroidY) }

    private static JsonObject around(List<PathObject> objects, ImageSession session) {
        List<ROI> rois = objects.collect { PathObject object -> object.ROI }
        double x0 = rois.collect { ROI roi -> roi.boundsX }.min(), y0 = rois.collect { ROI roi -> roi.boundsY }.min()
        double x1 = rois.collect { ROI roi -> roi.boundsX + roi.boundsWidth }.max(), y1 = rois.collect { ROI roi -> roi.boundsY + roi.boundsHeight }.max()
        return Extents.around(x0, y0, x1, y1, MARGIN, session.image.server.width, session.image.server.height)
    }
}
