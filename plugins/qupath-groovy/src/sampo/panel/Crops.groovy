package sampo.panel

import groovy.transform.CompileStatic
import javafx.embed.swing.SwingFXUtils
import javafx.scene.image.Image
import qupath.lib.objects.PathObject
import qupath.lib.roi.interfaces.ROI
import sampo.glue.Thumbnail
import sampo.glue.ViewerImage
import sampo.transport.BinaryFrame

import java.awt.BasicStroke
import java.awt.Color
import java.awt.Graphics2D
import java.awt.RenderingHints
import java.awt.geom.AffineTransform
import java.awt.image.BufferedImage

/** Small pictures of objects, with their outline. On a worker. */
@CompileStatic
class Crops {
    /** Side of what a picture shows, µm: a nucleus of 10 µm and what is around it. */
    private static final double MICRONS = 24d
    /** Around an object that is larger, times its longest side. */
    private static final double MARGIN = 1.5d
    private static final Color GROUND = new Color(235, 235, 235)

    /** The object in a picture, enlarged to fill the square. @param side px of the square */
    static Image draw(Thumbnail picture, PathObject object, int side, Color outline) {
        double scale = side / (double) Math.max(picture.pixels.width, picture.pixels.height)
        int width = (int) Math.round(picture.pixels.width * scale), height = (int) Math.round(picture.pixels.height * scale)
        int left = (side - width).intdiv(2), top = (side - height).intdiv(2)
        BufferedImage crop = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB)
        Graphics2D g = crop.createGraphics()
        g.setColor(GROUND)
        g.fillRect(0, 0, side, side)
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC)
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON)
        g.drawImage(picture.pixels, left, top, width, height, null)
        AffineTransform place = AffineTransform.getTranslateInstance(left, top)
        place.scale(scale / picture.downsample, scale / picture.downsample)
        place.translate(-picture.x, -picture.y)
        g.setStroke(new BasicStroke(1.6f))
        g.setColor(outline)
        g.draw(place.createTransformedShape(object.ROI.shape))
        g.dispose()
        return SwingFXUtils.toFXImage(crop, null)
    }

    /** A picture of an outline that the server has not cut: read from the viewer. @param side px of the picture at most @throws IOException */
    static Thumbnail read(ViewerImage image, PathObject object, Double pixelSize, int side) {
        ROI roi = object.ROI
        double microns = image.pixelSizeMicrons ?: (pixelSize ?: 0.5d)
        int wanted = (int) Math.ceil(Math.max(MICRONS / microns, MARGIN * Math.max(roi.boundsWidth, roi.boundsHeight)))
        int width = Math.min(wanted, image.server.width), height = Math.min(wanted, image.server.height)
        int x = inside(roi.centroidX - width / 2d, image.server.width - width), y = inside(roi.centroidY - height / 2d, image.server.height - height)
        double downsample = Math.max(1d, Math.max(width, height) / (double) side)
        return new Thumbnail(pixelsOf(image.region(x, y, width, height, downsample)), x, y, downsample)
    }

    private static int inside(double wanted, int most) { return Math.min(Math.max(0, (int) Math.round(wanted)), most) }

    private static BufferedImage pixelsOf(BinaryFrame frame) {
        BufferedImage pixels = new BufferedImage(frame.width, frame.height, BufferedImage.TYPE_INT_RGB)
        int i = 0
        for (int y = 0; y < frame.height; y++)
            for (int x = 0; x < frame.width; x++, i += 3)
                pixels.setRGB(x, y, ((frame.bytes[i] & 255) << 16) | ((frame.bytes[i + 1] & 255) << 8) | (frame.bytes[i + 2] & 255))
        return pixels
    }
}
