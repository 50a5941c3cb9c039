package sampo.panel

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.beans.value.ObservableValue
import javafx.event.ActionEvent
import javafx.scene.Node
import javafx.scene.control.Label
import javafx.scene.control.ToggleButton
import javafx.scene.control.Tooltip
import javafx.scene.image.Image
import javafx.scene.image.ImageView
import javafx.scene.input.MouseEvent
import javafx.scene.layout.FlowPane
import javafx.scene.layout.StackPane
import javafx.scene.layout.VBox
import qupath.lib.objects.PathObject
import sampo.glue.Click
import sampo.glue.Features
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Json
import sampo.glue.SearchOutcome

import java.awt.Color
import java.util.concurrent.atomic.AtomicInteger

/** Clicking: the tool, how many clicks there are, and other outlines for the last one. */
@CompileStatic
class ClickSection {
    private static final int SIDE = 64
    final Node node
    private final Controller controller
    private final Label count = new Label()
    private final FlowPane candidates = new FlowPane(6d, 6d)
    private final VBox candidateBox
    private final AtomicInteger shown = new AtomicInteger()

    ClickSection(Controller controller) {
        this.controller = controller
        ToggleButton tool = new ToggleButton('◎  Click tool (J)')
        tool.focusTraversable = false
        tool.tooltip = new Tooltip('Left click: this type. Right click or Shift: not this, which rejects an object that was found. Ctrl: select. Drag: move the image.')
        tool.setOnAction { ActionEvent event -> controller.gui.toolManager.selectedTool = controller.tool.tool; tool.selected = true }
        controller.gui.toolManager.selectedToolProperty().addListener { ObservableValue<?> of, Object old, Object now -> tool.selected = now.is(controller.tool.tool) }
        tool.selected = controller.gui.toolManager.selectedTool.is(controller.tool.tool)
        tool.minWidth = javafx.scene.layout.Region.USE_PREF_SIZE
        candidateBox = new VBox(4d, Ui.note('Outline of the last click: choose the best one.'), candidates)
        candidateBox.visible = false
        candidateBox.managed = false
        node = Ui.section('Click', Ui.row(tool, count), Ui.note('Left click: this type. Right click or Shift: not this.'),
            Ui.row(Ui.button('Undo click', 'Takes the last click of this class back') { controller.clicking.dropLast() },
                Ui.button('Clear', 'Takes all clicks of this class in this image back') { controller.clicking.clear() },
                Ui.button('Use selected', 'The selected points, cells or annotations are examples of this class') { controller.clicking.useSelected() }),
            candidateBox)
        controller.state.changes.addListener { ObservableValue<?> of, Object old, Object now -> refresh() }
        controller.state.outcome.addListener { ObservableValue<? extends SearchOutcome> of, SearchOutcome old, SearchOutcome now -> showCandidates(now) }
        refresh()
    }

    private void refresh() {
        ImageSession session = controller.currentSession
        Intent intent = controller.state.intent.get()
        List<Click> clicks = session == null || intent == null ? [] : session.clicks.findAll { Click one -> one.intentId == intent.id }
        int yes = clicks.count { Click one -> one.positive } as int
        count.text = clicks.isEmpty() ? 'no clicks here' : "$yes this · ${clicks.size() - yes} not this" as String
    }

    private void showCandidates(SearchOutcome outcome) {
        int number = shown.incrementAndGet()
        ImageSession session = controller.currentSession
        Click last = session == null || !session.clicks ? null : session.clicks.last()
        JsonObject of = last == null || !last.positive ? null : outcome?.candidates?.find { JsonObject one ->
            JsonObject click = one.getAsJsonObject('click')
            click != null && click.get('x').asDouble == last.x && click.get('y').asDouble == last.y
        }
        List<JsonObject> masks = of == null ? [] : Json.objects(of, 'masks')
        boolean any = masks.count { JsonObject one -> one.has('feature') } > 1
        candidateBox.visible = any
        candidateBox.managed = any
        candidates.children.clear()
        if (!any) return
        Thread.startDaemon('sampo-candidates') {
            List<Node> made = new ArrayList<>()
            masks.eachWithIndex { JsonObject mask, int index ->
                if (!mask.has('feature')) return
                PathObject object = Features.toDetection(mask.getAsJsonObject('feature'), session.image.plane)
                Image crop = Crops.draw(Crops.read(session.image, object, session.pixelSize, SIDE), object, SIDE, new Color(255, 230, 0))
                made.add(candidate(session, of, index, crop, mask.get('score').asDouble))
            }
            Platform.runLater { if (number == shown.get()) candidates.children.setAll(made) }
        }
    }

    private Node candidate(ImageSession session, JsonObject of, int index, Image crop, double score) {
        StackPane box = new StackPane(new ImageView(crop))
        box.style = '-fx-border-color: -fx-box-border; -fx-border-width: 2; -fx-cursor: hand;'
        Tooltip.install(box, new Tooltip("Outline ${index + 1}, predicted quality ${String.format(Locale.ROOT, '%.2f', score)}: click to say that it is the best" as String))
        box.addEventHandler(MouseEvent.MOUSE_CLICKED) { MouseEvent event ->
            for (Node other : candidates.children) other.style = '-fx-border-color: -fx-box-border; -fx-border-width: 2; -fx-cursor: hand;'
            box.style = "-fx-border-color: ${Ui.css(PromptOverlay.ADDED)}; -fx-border-width: 2;"
            controller.judgeActions.better(session, of, index)
        }
        return box
    }
}
