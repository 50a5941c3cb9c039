package sampo.panel

import groovy.transform.CompileStatic
import javafx.event.EventHandler
import javafx.scene.input.ContextMenuEvent
import javafx.scene.input.MouseButton
import javafx.scene.input.MouseEvent
import org.controlsfx.glyphfont.Glyph
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.gui.viewer.tools.PathTool
import qupath.lib.gui.viewer.tools.PathTools

import java.awt.geom.Point2D

/**
 * The tool with which nuclei are clicked: left is "this", right or Shift is "not this", which rejects an object that was found.
 * Ctrl (Command) selects. Dragging moves the view.
 */
@CompileStatic
class ClickTool {
    static final String NAME = 'SAMPO click'
    static final Character ICON = '\u25CE' as char

    final PathTool tool
    private final Controller controller
    private double fromX, fromY

    ClickTool(Controller controller) {
        this.controller = controller
        // A ControlsFX glyph, since QuPath's toolbar shows no other node; by its character, which its copies keep.
        Glyph icon = new Glyph('System', (Object) ICON)
        icon.fontSize = 15
        tool = PathTools.createTool(MouseEvent.ANY, { MouseEvent event -> handle(event) } as EventHandler<MouseEvent>, NAME, icon)
    }

    /** A right click is "not this" while the tool is in hand: QuPath's context menu stays away. The click itself still comes. */
    void keepMenuAway(QuPathViewer viewer) {
        viewer.view.addEventFilter(MouseEvent.MOUSE_PRESSED) { MouseEvent event ->
            if (event.button == MouseButton.SECONDARY && controller.gui.toolManager.selectedTool.is(tool)) event.consume()
        }
        viewer.view.addEventFilter(ContextMenuEvent.CONTEXT_MENU_REQUESTED) { ContextMenuEvent event ->
            if (controller.gui.toolManager.selectedTool.is(tool)) event.consume()
        }
    }

    private void handle(MouseEvent event) {
        QuPathViewer viewer = controller.gui.allViewers.find { QuPathViewer one -> one.view.is(event.source) } ?: controller.gui.viewer
        if (viewer?.imageData == null) {
            if (event.eventType == MouseEvent.MOUSE_CLICKED) controller.work.say('Open an image first, then click a nucleus in it.')
            return
        }
        if (event.eventType == MouseEvent.MOUSE_PRESSED) {
            viewer.view.requestFocus()
            fromX = event.x
            fromY = event.y
            event.consume()
        } else if (event.eventType == MouseEvent.MOUSE_DRAGGED && event.button == MouseButton.PRIMARY) {
            double downsample = viewer.downsampleFactor
            viewer.setCenterPixelLocation(viewer.centerPixelX - (event.x - fromX) * downsample, viewer.centerPixelY - (event.y - fromY) * downsample)
            fromX = event.x
            fromY = event.y
            event.consume()
        } else if (event.eventType == MouseEvent.MOUSE_CLICKED && event.isStillSincePress() && event.clickCount == 1) {
            Point2D place = viewer.componentPointToImagePoint(event.x, event.y, null, false)
            boolean positive = event.button == MouseButton.PRIMARY && !event.isShiftDown()
            if (event.isShortcutDown()) controller.judgeActions.select(viewer, place.x, place.y)
            else controller.clicking.clicked(viewer, place.x, place.y, positive)
            event.consume()
        }
    }
}
