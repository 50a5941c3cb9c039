package sampo.panel

import groovy.transform.CompileStatic
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.images.ImageData
import qupath.lib.objects.PathObject
import sampo.glue.Click
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Prompts

import java.awt.image.BufferedImage

/** Clicks as prompts: this, not this, and taking them back. */
@CompileStatic
class ClickActions {
    private final Controller controller

    ClickActions(Controller controller) { this.controller = controller }

    /** The tool was used at a place of an image. @param positive whether it says "this" */
    void clicked(QuPathViewer viewer, double atX, double atY, boolean positive) {
        if (!controller.state.active.get()) controller.openPanel.call()
        double x = Math.round(atX * 10) / 10d, y = Math.round(atY * 10) / 10d
        ImageData<BufferedImage> data = viewer.imageData
        if (x < 0 || y < 0 || x >= data.server.width || y >= data.server.height) {
            controller.work.say('That is outside the image: click a nucleus.')
            return
        }
        Intent intent = controller.state.intent.get()
        String name = intent == null ? controller.intentActions.askName() : intent.name
        if (name == null) return
        ImageSession session = controller.images.sessionOf(data, viewer.ZPosition, viewer.TPosition)
        PathObject wrong = positive || session == null || intent == null ? null : session.objectAt(x, y)
        if (wrong != null) controller.judgeActions.judge(session, intent, [wrong], false)
        else if (session != null && intent != null) add(viewer, session, new Click(intent.id, x, y, positive))
        else prepareAndAdd(viewer, intent, name, x, y, positive)
    }

    /** The class or the image is not known yet: both are made on a worker, and the click is kept until then. */
    private void prepareAndAdd(QuPathViewer viewer, Intent intent, String name, double x, double y, boolean positive) {
        ImageData<BufferedImage> data = viewer.imageData
        List<Integer> color = controller.intentActions.listedColor(name)
        int z = viewer.ZPosition, t = viewer.TPosition
        controller.work.start {
            String intentId = intent?.id ?: controller.intentActions.make(name, color).id
            ImageSession session = controller.images.make(data, z, t)
            controller.work.later { add(viewer, session, new Click(intentId, x, y, positive)) }
        }
    }

    private void add(QuPathViewer viewer, ImageSession session, Click click) {
        session.addClick(click)
        controller.viewers.watch(viewer)
        viewer.repaint()
        controller.state.touched()
        if (controller.finding.hasPositive(session, click.intentId)) controller.finding.inView(false)
        else controller.work.say('Noted as "not this". Now click at least one nucleus that is.')
    }

    void dropLast() {
        withClicks { ImageSession session, Intent intent -> session.dropLastClick(intent.id) }
    }

    void clear() {
        withClicks { ImageSession session, Intent intent -> session.clearClicks(intent.id) }
    }

    private void withClicks(Closure<?> change) {
        ImageSession session = controller.images.current
        Intent intent = controller.state.intent.get()
        if (session == null || intent == null) return
        change.call(session, intent)
        controller.viewers.repaint()
        controller.state.touched()
    }

    /** Points and areas that are selected become examples of the intent. */
    void useSelected() {
        Intent intent = controller.state.intent.get()
        List<PathObject> selected = controller.selection()
        if (intent == null || selected.isEmpty()) {
            controller.work.say('Select points, cells or annotations first: they become examples of the chosen class.')
            return
        }
        controller.finding.withExamples(intent, new Prompts(intent.id).addObjects(selected))
    }
}
