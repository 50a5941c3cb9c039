package qupath.lib.roi

import qupath.lib.geom.Point2
import qupath.lib.regions.ImagePlane
import qupath.lib.roi.interfaces.ROI

import java.awt.geom.Path2D

/** The stand-ins' one kind of shape; QuPath has many. */
class OutlineROI implements ROI {
    /** Parts of rings of points; a single ring of a point shape. */
    final List<List<List<Point2>>> parts
    private final boolean points
    private final ImagePlane plane
    private final Path2D path = new Path2D.Double(Path2D.WIND_EVEN_ODD)

    OutlineROI(List<List<List<Point2>>> parts, boolean points, ImagePlane plane) {
        this.parts = parts
        this.points = points
        this.plane = plane
        for (ring in parts.collectMany { it }) {
            if (points) continue
            path.moveTo(ring[0].x, ring[0].y)
            ring.drop(1).each { path.lineTo(it.x, it.y) }
            path.closePath()
        }
    }

    private double extreme(Closure<Double> of, boolean most) {
        def all = allPoints.collect(of)
        return all.isEmpty() ? Double.NaN : most ? all.max() : all.min()
    }
    double getBoundsX() { return extreme({ it.x }, false) }
    double getBoundsY() { return extreme({ it.y }, false) }
    double getBoundsWidth() { return extreme({ it.x }, true) - boundsX }
    double getBoundsHeight() { return extreme({ it.y }, true) - boundsY }
    double getCentroidX() { return boundsX + boundsWidth / 2 }
    double getCentroidY() { return boundsY + boundsHeight / 2 }
    int getNumPoints() { return allPoints.size() }
    List<Point2> getAllPoints() { return parts.collectMany { it.collectMany { it } } }
    boolean contains(double x, double y) { return !points && path.contains(x, y) }
    boolean isArea() { return !points }
    boolean isPoint() { return points }
    boolean isEmpty() { return allPoints.isEmpty() }
    ImagePlane getImagePlane() { return plane }
}
