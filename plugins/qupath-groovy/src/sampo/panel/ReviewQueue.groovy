package sampo.panel

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.objects.PathObject
import sampo.glue.Features
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Json

/** Objects that were not judged, the most uncertain first, one after another in the middle of the view, or forty at once. */
@CompileStatic
class ReviewQueue {
    private static final int LENGTH = 40
    /** The object that is asked about; null for none. It need not be in the image. */
    PathObject shown
    /** Of the object that is asked about. */
    ImageSession session
    private final Controller controller
    private List<JsonObject> queue = []

    ReviewQueue(Controller controller) { this.controller = controller }

    /** The next object in the middle of the view. */
    void next() {
        Intent intent = controller.state.intent.get()
        ImageSession current = controller.images.current
        if (intent == null || current == null) {
            controller.work.say('Find objects first: there is nothing to review.')
            return
        }
        if (shown != null) queue.removeAll { JsonObject feature -> idOf(feature) == shown.ID.toString() }
        if (!queue.isEmpty()) {
            show(current, queue[0])
            return
        }
        controller.work.start {
            List<JsonObject> more = current.review(intent.id, LENGTH)
            controller.work.later { fill(current, more) }
        }
    }

    /** Judges the object that is asked about and goes on to the next. @return false when none is */
    boolean judgeShown(ImageSession of, Intent intent, boolean accept) {
        if (shown == null || !session.is(of)) return false
        JsonObject feature = queue.find { JsonObject waiting -> idOf(waiting) == shown.ID.toString() }
        // It was judged a moment ago, and the next is on its way.
        if (feature == null) return true
        queue.remove(feature)
        boolean last = queue.isEmpty()
        controller.work.start {
            of.judgeFeatures(intent.id, accept ? [feature] : [], accept ? [] : [feature])
            controller.judgeActions.judgedMore()
            // More are asked for only when the server has this judgement: it would ask about the object again.
            if (last) controller.work.later { next() }
        }
        if (!last) next()
        return true
    }

    void stop() {
        if (shown != null) controller.work.say('')
        forget()
        controller.viewers.repaint()
    }

    /** Another image is shown. */
    void forget() {
        shown = null
        queue = []
    }

    void openGallery() {
        Intent intent = controller.state.intent.get()
        ImageSession current = controller.images.current
        if (intent == null || current == null) controller.work.say('Find objects first: there is nothing to review.')
        else new Gallery(controller, current, intent).show()
    }

    private void fill(ImageSession of, List<JsonObject> more) {
        queue = new ArrayList<JsonObject>(more)
        if (queue.isEmpty()) {
            shown = null
            controller.work.say('Everything here was reviewed.')
            controller.viewers.repaint()
        } else {
            show(of, queue[0])
        }
        controller.state.touched()
    }

    private void show(ImageSession of, JsonObject feature) {
        PathObject present = of.placer.find([UUID.fromString(idOf(feature))] as Set<UUID>).values().find()
        shown = present ?: Features.toDetection(feature, of.image.plane)
        session = of
        QuPathViewer viewer = controller.gui.viewer
        viewer.setCenterPixelLocation(shown.ROI.centroidX, shown.ROI.centroidY)
        if (present != null) of.data.hierarchy.selectionModel.setSelectedObject(present)
        controller.work.say("Is this ${controller.state.intent.get().name}? Score ${String.format(Locale.ROOT, '%.2f', Features.score(feature))}.  Y yes   X no   Q next" as String)
        controller.viewers.repaint()
    }

    private static String idOf(JsonObject feature) { return Json.text(feature, 'id') }
}
