package qupath.lib.roi.interfaces

import qupath.lib.geom.Point2
import qupath.lib.regions.ImagePlane

interface ROI {
    double getBoundsX()
    double getBoundsY()
    double getBoundsWidth()
    double getBoundsHeight()
    double getCentroidX()
    double getCentroidY()
    int getNumPoints()
    List<Point2> getAllPoints()
    boolean contains(double x, double y)
    boolean isArea()
    boolean isPoint()
    boolean isEmpty()
    ImagePlane getImagePlane()
}
