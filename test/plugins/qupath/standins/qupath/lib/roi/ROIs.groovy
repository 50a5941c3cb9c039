package qupath.lib.roi

import qupath.lib.geom.Point2
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.interfaces.ROI

class ROIs {
    static ROI createPolygonROI(double[] x, double[] y, ImagePlane plane) {
        return new OutlineROI([[(0..<x.length).collect { new Point2(x[it], y[it]) }]], false, plane)
    }
    static ROI createPointsROI(double[] x, double[] y, ImagePlane plane) {
        return new OutlineROI([[(0..<x.length).collect { new Point2(x[it], y[it]) }]], true, plane)
    }
    static ROI createRectangleROI(double x, double y, double width, double height, ImagePlane plane) {
        return createPolygonROI([x, x + width, x + width, x] as double[], [y, y, y + height, y + height] as double[], plane)
    }
}
