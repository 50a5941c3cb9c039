package sampo.panel

import groovy.transform.CompileStatic
import javafx.animation.PauseTransition
import javafx.beans.value.ObservableValue
import javafx.util.Duration
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.gui.viewer.QuPathViewerListener
import qupath.lib.images.ImageData
import qupath.lib.objects.PathObject

import java.awt.Shape
import java.awt.image.BufferedImage
import java.util.concurrent.ConcurrentHashMap

/** Draws over every viewer, and tells when one shows another image or another part of it. */
@CompileStatic
class ViewerWatch {
    /** A view that moves is searched once it has stood still for so long. */
    private static final int LIVE_DELAY_MS = 150
    protected final Controller controller
    protected final Map<QuPathViewer, PromptOverlay> overlays = new ConcurrentHashMap<>()
    protected final PauseTransition liveDelay = new PauseTransition(Duration.millis(LIVE_DELAY_MS))

    ViewerWatch(Controller controller) {
        this.controller = controller
        liveDelay.setOnFinished { controller.finding.inView(true) }
    }

    /** Watches all viewers, those of later too. */
    void start() {
        controller.gui.viewerProperty().addListener { ObservableValue<? extends QuPathViewer> of, QuPathViewer old, QuPathViewer now -> watch(now) }
        for (QuPathViewer viewer : controller.gui.allViewers) watch(viewer)
    }

    void repaint() { for (QuPathViewer viewer : controller.gui.allViewers) viewer.repaint() }

    void watch(QuPathViewer viewer) {
        if (viewer == null || overlays.containsKey(viewer)) return
        PromptOverlay overlay = new PromptOverlay(controller, viewer)
        overlays.put(viewer, overlay)
        viewer.customOverlayLayers.add(overlay)
        controller.tool.keepMenuAway(viewer)
        viewer.addViewerListener(new Listener(this))
    }

    @CompileStatic
    private static class Listener implements QuPathViewerListener {
        private final ViewerWatch watch

        Listener(ViewerWatch watch) { this.watch = watch }

        @Override
        void imageDataChanged(QuPathViewer of, ImageData<BufferedImage> before, ImageData<BufferedImage> now) {
            watch.controller.imageChanged()
        }

        @Override
        void visibleRegionChanged(QuPathViewer of, Shape shape) {
            if (watch.controller.state.live.get() && of.is(watch.controller.gui.viewer)) watch.liveDelay.playFromStart()
        }

        @Override
        void selectedObjectChanged(QuPathViewer of, PathObject selected) { }

        @Override
        void viewerClosed(QuPathViewer of) { watch.overlays.remove(of) }
    }
}
