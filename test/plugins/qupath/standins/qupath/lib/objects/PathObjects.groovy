package qupath.lib.objects

import qupath.lib.objects.classes.PathClass
import qupath.lib.roi.interfaces.ROI

class PathObjects {
    static PathObject createDetectionObject(ROI roi, PathClass pathClass) { return made(roi, pathClass, true) }
    static PathObject createAnnotationObject(ROI roi, PathClass pathClass) { return made(roi, pathClass, false) }
    private static PathObject made(ROI roi, PathClass pathClass, boolean detection) {
        def object = new PathObject(shape: roi, detection: detection)
        object.pathClass = pathClass
        return object
    }
}
