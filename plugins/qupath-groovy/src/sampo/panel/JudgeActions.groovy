package sampo.panel

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.objects.PathObject
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Json

/** Saying of objects that they are right or wrong, and taking steps back. */
@CompileStatic
class JudgeActions {
    private final Controller controller

    JudgeActions(Controller controller) { this.controller = controller }

    void select(QuPathViewer viewer, double x, double y) {
        ImageSession session = controller.images.sessionOf(viewer.imageData, viewer.ZPosition, viewer.TPosition)
        viewer.imageData.hierarchy.selectionModel.setSelectedObject(session?.objectAt(x, y))
    }

    /** Accepts or rejects the object in review, else what is selected. */
    void judgeSelected(boolean accept) {
        Intent intent = controller.state.intent.get()
        ImageSession session = controller.images.current
        if (intent == null || session == null) {
            controller.work.say('Find objects first: there is nothing to judge.')
            return
        }
        if (controller.review.judgeShown(session, intent, accept)) return
        List<PathObject> objects = controller.selection().findAll { PathObject object -> object.isDetection() }
        if (objects.isEmpty()) controller.work.say('Ctrl-click an object first, or press Q for the next one to review.')
        else judge(session, intent, objects, accept)
    }

    /** The class that each object has says whose judgement it is. */
    void judge(ImageSession session, Intent intent, List<PathObject> objects, boolean accept) {
        Map<String, List<PathObject>> byIntent = objects.groupBy { PathObject object ->
            controller.workspace.intentNamed(object.pathClass?.toString())?.id ?: intent.id
        }
        String verdict = accept ? 'accepted' : 'rejected'
        run({ byIntent.each { String id, List<PathObject> theirs -> session.judge(id, theirs, accept) } }) {
            "${objects.size()} $verdict.${session.unsent > 0 ? ' They are kept here until the server is back.' : ''}"
        }
    }

    /** The selected annotation is an object of the class: drawn by the user, the user's. */
    void takeDrawn() {
        Intent intent = controller.state.intent.get()
        ImageSession session = controller.images.current
        PathObject drawn = controller.selection().find { PathObject object -> object.isAnnotation() && object.ROI?.isArea() }
        if (intent == null || session == null || drawn == null) {
            controller.work.say('Draw the outline as an annotation and select it: K adds it to the class.')
            return
        }
        run({ session.addDrawn(intent.id, drawn) }) { "Added to ${intent.name}: the drawn outline counts as right." }
    }

    /** Of the candidates of a click, the outline that is wanted. */
    void better(ImageSession session, JsonObject candidates, int chosen) {
        run({ session.better(Json.text(candidates, 'intentId'), candidates, chosen) }) { 'Noted: this outline is better.' }
    }

    void undo() {
        ImageSession session = controller.images.current
        if (session == null || !session.canUndo()) {
            controller.work.say('There is nothing to undo in this image.')
            return
        }
        String what = null
        run({ what = session.undo() }) { "Undone: $what." }
    }

    /** On a worker: counts have changed. */
    void judgedMore() {
        if (controller.workspace.connected) controller.workspace.refreshIntents()
        controller.work.later { controller.state.touched() }
    }

    private void run(Closure<?> body, Closure<?> said) {
        controller.work.start {
            body.call()
            judgedMore()
            controller.work.later { controller.work.say(said.call().toString()) }
        }
    }
}
