package sampo.panel

import groovy.transform.CompileStatic
import qupath.fx.dialogs.Dialogs
import qupath.lib.common.ColorTools
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.objects.classes.PathClass
import sampo.glue.Features
import sampo.glue.Intent

/** Making, renaming, colouring and deleting classes, and QuPath's own list of classes beside ours. */
@CompileStatic
class IntentActions {
    private final Controller controller

    IntentActions(Controller controller) { this.controller = controller }

    /** The server's list has changed. */
    void show(List<Intent> list) {
        PanelState state = controller.state
        String chosen = state.intent.get()?.id
        state.intents.setAll(list)
        state.intent.set(list.find { Intent intent -> intent.id == chosen } ?: (list ? list.first() : null))
        if (state.intent.get() != null) offerClass(state.intent.get())
        state.touched()
    }

    /** QuPath's own list of classes has the chosen intent too, in its colour. */
    private void offerClass(Intent intent) {
        PathClass pathClass = PathClass.fromString(intent.name)
        if (controller.gui.availablePathClasses.contains(pathClass)) return
        pathClass.setColor(packed(intent.color))
        controller.gui.availablePathClasses.add(pathClass)
    }

    /** The colour of a class in QuPath's list; null for one that is not there. */
    List<Integer> listedColor(String name) {
        return Features.colorOf(controller.gui.availablePathClasses.find { PathClass listed -> listed?.toString() == name })
    }

    /** The class to click for, when there is no intent yet; null when the user does not say. */
    String askName() {
        List<String> names = controller.gui.availablePathClasses
            .findAll { PathClass listed -> listed != null && listed != PathClass.NULL_CLASS && !listed.name.endsWith('*') }
            .collect { PathClass listed -> listed.toString() }.toList()
        return ClassNameDialog.ask(names, controller.gui.stage)
    }

    void create(String name) {
        List<Integer> color = listedColor(name)
        controller.work.start { make(name, color) }
    }

    /** On a worker: the intent of a class, made when there is none, and chosen in the panel. */
    Intent make(String name, List<Integer> color) {
        if (!controller.workspace.connected) controller.workspace.connect(true)
        Intent made = controller.workspace.intentFor(name, color)
        controller.work.later { controller.state.intent.set(controller.state.intents.find { Intent intent -> intent.id == made.id }) }
        return made
    }

    void rename(Intent which, String name) {
        controller.work.start { controller.workspace.renameIntent(which, name) }
    }

    void recolor(Intent which, List<Integer> color) {
        controller.work.start {
            controller.workspace.updateIntent(which.id, null, color)
            controller.work.later {
                PathClass.fromString(which.name).setColor(packed(color))
                for (QuPathViewer viewer : controller.gui.allViewers) viewer.repaintEntireImage()
            }
        }
    }

    void delete(Intent which) {
        String question = "Delete \"${which.name}\" with its ${which.examples} examples, ${which.judgements} judgements and all versions?\nObjects in images stay."
        if (!Dialogs.showYesNoDialog('SAMPO', question)) return
        controller.work.start { controller.workspace.deleteIntent(which.id) }
    }

    void forgetExamples(Intent which) {
        controller.images.current?.clearClicks(which.id)
        controller.viewers.repaint()
        controller.work.start { controller.workspace.forgetExamples(which.id) }
    }

    private static int packed(List<Integer> rgb) { return ColorTools.packRGB(rgb[0], rgb[1], rgb[2]) }
}
