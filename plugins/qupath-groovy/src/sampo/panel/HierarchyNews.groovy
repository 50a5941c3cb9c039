package sampo.panel

import groovy.transform.CompileStatic
import javafx.animation.PauseTransition
import javafx.util.Duration
import qupath.lib.gui.QuPathGUI
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.objects.hierarchy.PathObjectHierarchy
import qupath.lib.objects.hierarchy.events.PathObjectHierarchyEvent

/**
 * Tells QuPath of our changes to objects, without what would hold its windows up each time:
 *
 * - Up to 10,000 objects its undo collects all garbage of the program and writes down the whole hierarchy at every change
 *   (UndoRedoManager, GeneralTools.estimateAvailableMemory), some tenths of a second. It is told once, when changes have paused.
 * - With many objects a viewer at rest waits for all of them to be drawn anew (HierarchyOverlay, up to 5 s). Until changes have
 *   paused it draws as while it is moved: what is ready at once, the rest as it comes.
 */
@CompileStatic
class HierarchyNews {
    /** Changes that follow one another faster are one to QuPath's undo. */
    private static final int UNDO_PAUSE_MS = 1000
    /** By then all objects are drawn: some seconds, and one for each 15,000 of them. */
    private static final int DRAWING_PAUSE_MS = 4000
    private static final int OBJECTS_PER_MS = 15
    /** From here on drawing all of them takes long enough to be seen. */
    private static final int MANY = 5000
    private final QuPathGUI gui
    private final Work work
    /** On the FX thread. */
    private final Map<PathObjectHierarchy, PauseTransition> untilUndo = new WeakHashMap<>()
    private final Map<QuPathViewer, PauseTransition> untilDrawn = new WeakHashMap<>()

    HierarchyNews(QuPathGUI gui, Work work) {
        this.gui = gui
        this.work = work
    }

    /** On any thread. @param tell tells all listeners of a change */
    void tell(PathObjectHierarchy hierarchy, Closure<?> tell) {
        List<QuPathViewer> viewers = gui.allViewers.findAll { QuPathViewer viewer -> viewer.hierarchy.is(hierarchy) }.toList()
        // Before the change is told: the viewers hear of it on the FX thread after this.
        int count = hierarchy.nObjects()
        if (count > MANY) work.later { for (QuPathViewer viewer : viewers) drawQuickly(viewer, DRAWING_PAUSE_MS + count.intdiv(OBJECTS_PER_MS)) }
        // QuPath's undo listens once for each viewer; with several, or none, it is left alone.
        if (gui.undoRedoManager == null || viewers.size() != 1) {
            tell.call()
            return
        }
        // Nobody else's change can come between: QuPath tells listeners under this lock.
        synchronized (hierarchy) {
            hierarchy.removeListener(gui.undoRedoManager)
            try {
                tell.call()
            } finally {
                hierarchy.addListener(gui.undoRedoManager)
            }
        }
        work.later { tellUndoLater(hierarchy) }
    }

    private void drawQuickly(QuPathViewer viewer, double milliseconds) {
        viewer.setDoFasterRepaint(true)
        PauseTransition pause = untilDrawn.computeIfAbsent(viewer) { QuPathViewer key -> new PauseTransition() }
        pause.stop()
        pause.duration = Duration.millis(milliseconds)
        pause.setOnFinished {
            untilDrawn.remove(viewer)
            viewer.setDoFasterRepaint(false)
        }
        pause.playFromStart()
    }

    private void tellUndoLater(PathObjectHierarchy hierarchy) {
        PauseTransition pause = untilUndo.get(hierarchy)
        if (pause == null) {
            pause = new PauseTransition(Duration.millis(UNDO_PAUSE_MS))
            untilUndo.put(hierarchy, pause)
        }
        pause.setOnFinished {
            untilUndo.remove(hierarchy)
            work.start { tellUndo(hierarchy) }
        }
        pause.playFromStart()
    }

    private void tellUndo(PathObjectHierarchy hierarchy) {
        synchronized (hierarchy) {
            gui.undoRedoManager.hierarchyChanged(PathObjectHierarchyEvent.createStructureChangeEvent(this, hierarchy, hierarchy.rootObject))
        }
    }
}
