package sampo.panel

import groovy.transform.CompileStatic
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.gui.viewer.overlays.AbstractOverlay
import qupath.lib.images.ImageData
import qupath.lib.objects.PathObject
import qupath.lib.regions.ImageRegion
import qupath.lib.roi.interfaces.ROI
import sampo.glue.Click
import sampo.glue.ImageSession
import sampo.glue.Intent

import java.awt.BasicStroke
import java.awt.Color
import java.awt.Graphics2D
import java.awt.RenderingHints
import java.awt.Shape
import java.awt.geom.Ellipse2D
import java.awt.geom.Line2D
import java.awt.image.BufferedImage

/** What SAMPO draws over an image: the clicks, the object in review, what a refinement changed. */
@CompileStatic
class PromptOverlay extends AbstractOverlay {
    static final Color ADDED = new Color(0x2E, 0xCC, 0x71)
    static final Color REMOVED = new Color(0xE7, 0x4C, 0x3C)
    static final Color RESHAPED = new Color(0xF1, 0xC4, 0x0F)
    private static final float[] DASHES = [5f, 4f] as float[]

    private final Controller controller
    private final QuPathViewer viewer

    PromptOverlay(Controller controller, QuPathViewer viewer) {
        super(viewer.overlayOptions)
        this.controller = controller
        this.viewer = viewer
    }

    @Override
    void paintOverlay(Graphics2D g2d, ImageRegion region, double downsample, ImageData<BufferedImage> data, boolean paintCompletely) {
        ImageSession session = controller.images.sessionOf(data, viewer.ZPosition, viewer.TPosition)
        if (session == null) return
        Graphics2D g = (Graphics2D) g2d.create()
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON)
        Difference difference = controller.refining.difference
        if (difference != null && difference.session.is(session)) {
            outline(g, difference.removed, region, REMOVED, downsample, true)
            outline(g, difference.reshaped, region, RESHAPED, downsample, false)
            outline(g, difference.added, region, ADDED, downsample, false)
        }
        PathObject reviewed = controller.review.shown
        if (reviewed != null && controller.review.session.is(session)) {
            Shape shape = reviewed.ROI.shape
            g.setStroke(new BasicStroke((float) (5 * downsample)))
            g.setColor(Color.BLACK)
            g.draw(shape)
            g.setStroke(new BasicStroke((float) (2.5 * downsample)))
            g.setColor(Color.WHITE)
            g.draw(shape)
        }
        for (Click click : session.clicks) dot(g, click, downsample)
        g.dispose()
    }

    private void dot(Graphics2D g, Click click, double downsample) {
        Intent intent = controller.workspace.intent(click.intentId)
        List<Integer> rgb = intent?.color ?: [128, 128, 128]
        double radius = 5 * downsample
        Shape disc = new Ellipse2D.Double(click.x - radius, click.y - radius, 2 * radius, 2 * radius)
        g.setColor(click.positive ? new Color(rgb[0], rgb[1], rgb[2]) : Color.WHITE)
        g.fill(disc)
        g.setStroke(new BasicStroke((float) (1.8 * downsample)))
        g.setColor(click.positive ? Color.WHITE : new Color(rgb[0], rgb[1], rgb[2]))
        g.draw(disc)
        if (click.positive) return
        double arm = radius * 0.55
        g.draw(new Line2D.Double(click.x - arm, click.y - arm, click.x + arm, click.y + arm))
        g.draw(new Line2D.Double(click.x - arm, click.y + arm, click.x + arm, click.y - arm))
    }

    /** Of the objects, those that are in sight: a slide has many more. */
    private static void outline(Graphics2D g, List<PathObject> objects, ImageRegion region, Color color, double downsample, boolean dashed) {
        float width = (float) (2.4 * downsample)
        float[] dashes = [(float) (DASHES[0] * downsample), (float) (DASHES[1] * downsample)] as float[]
        g.setStroke(dashed ? new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1f, dashes, 0f) : new BasicStroke(width))
        g.setColor(color)
        for (PathObject object : objects) {
            ROI roi = object.ROI
            if (region.intersects(roi.boundsX, roi.boundsY, roi.boundsWidth, roi.boundsHeight)) g.draw(roi.shape)
        }
    }
}
