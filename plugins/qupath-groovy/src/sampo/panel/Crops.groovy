package sampo.panel

import groovy.transform.CompileStatic
import javafx.embed.swing.SwingFXUtils
import javafx.scene.image.Image
import qupath.lib.objects.PathObject
import sampo.glue.ViewerImage
import sampo.transport.BinaryFrame

import java.awt.BasicStroke
import java.awt.Color
import java.awt.Graphics2D
import java.awt.RenderingHints
import java.awt.geom.AffineTransform
import java.awt.image.BufferedImage

/** Small pictures of objects, with their outline. */
@CompileStatic
class Crops {
    /** Width of what a crop shows, in diameters of a nucleus of 10 µm. */
    private static final double MICRONS = 24d

    /** On a worker. @param side px of the picture @throws IOException */
    static Image of(ViewerImage image, PathObject object, Double pixelSize, int side, Color outline) {
        double mpp = image.pixelSizeMicrons ?: (pixelSize ?: 0.5d)
        double width = Math.max(MICRONS / mpp, 1.5d * Math.max(object.ROI.boundsWidth, object.ROI.boundsHeight))
        double x0 = object.ROI.centroidX - width / 2, y0 = object.ROI.centroidY - width / 2
        int left = (int) Math.max(0, Math.floor(x0)), top = (int) Math.max(0, Math.floor(y0))
        int right = (int) Math.min(image.server.width, Math.ceil(x0 + width)), bottom = (int) Math.min(image.server.height, Math.ceil(y0 + width))
        double downsample = Math.max(1d, width / side)
        BinaryFrame frame = image.region(left, top, right - left, bottom - top, downsample)
        BufferedImage pixels = new BufferedImage(frame.width, frame.height, BufferedImage.TYPE_INT_RGB)
        int i = 0
        for (int y = 0; y < frame.height; y++)
            for (int x = 0; x < frame.width; x++, i += 3)
                pixels.setRGB(x, y, ((frame.bytes[i] & 255) << 16) | ((frame.bytes[i + 1] & 255) << 8) | (frame.bytes[i + 2] & 255))
        double scale = side / width
        BufferedImage crop = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB)
        Graphics2D g = crop.createGraphics()
        g.setColor(new Color(235, 235, 235))
        g.fillRect(0, 0, side, side)
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC)
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON)
        g.drawImage(pixels, (int) Math.round((left - x0) * scale), (int) Math.round((top - y0) * scale), (int) Math.round((right - left) * scale), (int) Math.round((bottom - top) * scale), null)
        AffineTransform place = AffineTransform.getScaleInstance(scale, scale)
        place.translate(-x0, -y0)
        g.setStroke(new BasicStroke(1.6f))
        g.setColor(outline)
        g.draw(place.createTransformedShape(object.ROI.shape))
        g.dispose()
        return SwingFXUtils.toFXImage(crop, null)
    }
}
