package sampo.panel

import groovy.transform.CompileStatic
import javafx.animation.PauseTransition
import javafx.util.Duration
import qupath.lib.gui.QuPathGUI
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.objects.hierarchy.PathObjectHierarchy
import qupath.lib.objects.hierarchy.events.PathObjectHierarchyEvent

/**
 * Tells QuPath's own undo of our changes once, when they have paused, and every other listener at once.
 *
 * Up to 10,000 objects QuPath's undo collects all garbage of the program and writes down the whole hierarchy at every change
 * (UndoRedoManager, GeneralTools.estimateAvailableMemory): some tenths of a second in which nothing moves. Objects that stream in
 * several times a second would pay that each time.
 */
@CompileStatic
class QuPathUndo {
    /** Changes that follow one another faster are one to QuPath's undo. */
    private static final int PAUSE_MS = 1000
    private final QuPathGUI gui
    private final Work work
    /** Of hierarchies that QuPath's undo is to be told of. On the FX thread. */
    private final Map<PathObjectHierarchy, PauseTransition> pending = new WeakHashMap<>()

    QuPathUndo(QuPathGUI gui, Work work) {
        this.gui = gui
        this.work = work
    }

    /** @param tell tells all listeners of a change */
    void later(PathObjectHierarchy hierarchy, Closure<?> tell) {
        // It listens once for each viewer; with several, or none, it is left alone.
        if (gui.undoRedoManager == null || viewersOf(hierarchy) != 1) {
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
        work.later { postpone(hierarchy) }
    }

    private void postpone(PathObjectHierarchy hierarchy) {
        PauseTransition pause = pending.get(hierarchy)
        if (pause == null) {
            pause = new PauseTransition(Duration.millis(PAUSE_MS))
            pending.put(hierarchy, pause)
        }
        pause.setOnFinished {
            pending.remove(hierarchy)
            work.start { told(hierarchy) }
        }
        pause.playFromStart()
    }

    private void told(PathObjectHierarchy hierarchy) {
        synchronized (hierarchy) {
            gui.undoRedoManager.hierarchyChanged(PathObjectHierarchyEvent.createStructureChangeEvent(this, hierarchy, hierarchy.rootObject))
        }
    }

    private int viewersOf(PathObjectHierarchy hierarchy) {
        return gui.allViewers.count { QuPathViewer viewer -> viewer.hierarchy.is(hierarchy) } as int
    }
}
