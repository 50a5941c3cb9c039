package sampo.glue

import com.google.gson.JsonArray
import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.roi.interfaces.ROI

import java.awt.geom.Rectangle2D

/** Where a search looks. */
@CompileStatic
class Extents {
    static JsonObject image() { return Json.object(type: 'image') }

    /** @throws IllegalArgumentException when the view shows nothing of the image */
    static JsonObject view(Rectangle2D shown, int imageWidth, int imageHeight) {
        return rectangle('view', shown.minX, shown.minY, shown.maxX, shown.maxY, imageWidth, imageHeight)
    }

    /** The region itself where it is one polygon; the rectangle around it for several parts. */
    static JsonObject region(ROI roi, int imageWidth, int imageHeight) {
        JsonObject geometry = Features.toGeometry(roi)
        if (geometry.get('type').asString == 'Polygon') return Json.object(type: 'polygon', coordinates: geometry.get('coordinates'))
        return rectangle('rectangle', roi.boundsX, roi.boundsY, roi.boundsX + roi.boundsWidth, roi.boundsY + roi.boundsHeight, imageWidth, imageHeight)
    }

    /** Around a place, large enough to hold what lies there. */
    static JsonObject around(double x0, double y0, double x1, double y1, double margin, int imageWidth, int imageHeight) {
        return rectangle('rectangle', x0 - margin, y0 - margin, x1 + margin, y1 + margin, imageWidth, imageHeight)
    }

    /** Whether a place belongs to an extent; for a polygon, its outer ring decides. */
    static boolean contains(JsonObject extent, double x, double y) {
        switch (extent.get('type').asString) {
            case 'image': return true
            case 'polygon': return inside(extent.getAsJsonArray('coordinates').get(0).asJsonArray, x, y)
            default:
                double left = extent.get('x').asDouble, top = extent.get('y').asDouble
                return x >= left && y >= top && x < left + extent.get('width').asDouble && y < top + extent.get('height').asDouble
        }
    }

    private static JsonObject rectangle(String type, double x0, double y0, double x1, double y1, int imageWidth, int imageHeight) {
        int left = (int) Math.max(0, Math.floor(x0)), top = (int) Math.max(0, Math.floor(y0))
        int right = (int) Math.min(imageWidth, Math.ceil(x1)), bottom = (int) Math.min(imageHeight, Math.ceil(y1))
        if (right <= left || bottom <= top) throw new IllegalArgumentException('the view shows nothing of the image: move it onto the tissue')
        return Json.object(type: type, x: left, y: top, width: right - left, height: bottom - top)
    }

    private static boolean inside(JsonArray ring, double x, double y) {
        boolean odd = false
        for (int i = 0, j = ring.size() - 1; i < ring.size(); j = i++) {
            double xi = ring.get(i).asJsonArray.get(0).asDouble, yi = ring.get(i).asJsonArray.get(1).asDouble
            double xj = ring.get(j).asJsonArray.get(0).asDouble, yj = ring.get(j).asJsonArray.get(1).asDouble
            if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) odd = !odd
        }
        return odd
    }
}
