package sampo.panel

import groovy.transform.CompileStatic
import javafx.beans.binding.Bindings
import javafx.beans.value.ObservableValue
import javafx.scene.Node
import javafx.scene.control.Button
import javafx.scene.control.Label
import javafx.scene.control.ProgressBar
import javafx.scene.layout.HBox
import javafx.scene.layout.Priority
import javafx.scene.layout.Region
import javafx.scene.shape.Rectangle
import sampo.glue.RefineOutcome

/** Refine: learn from what was judged, show what changed, keep it or go back. */
@CompileStatic
class RefineSection {
    final Node node
    private final Controller controller
    private final HBox legend = new HBox(10d)

    RefineSection(Controller controller) {
        this.controller = controller
        Button refine = Ui.wide(Ui.button('Refine', 'Learns from what you judged; a few seconds. What you judged or edited stays as you said.') { controller.refining.refine() })
        refine.disableProperty().bind(controller.refining.underWay)
        ProgressBar bar = new ProgressBar()
        bar.maxWidth = Double.MAX_VALUE
        bar.prefHeight = 14
        HBox.setHgrow(bar, Priority.ALWAYS)
        bar.progressProperty().bind(controller.refining.progress)
        HBox running = Ui.row(bar, Ui.button('Cancel', 'Stops; nothing is changed then') { controller.finding.cancel() })
        Ui.shownWhen(running, controller.refining.underWay)
        Label text = new Label()
        text.wrapText = true
        text.minHeight = Region.USE_PREF_SIZE
        text.textProperty().bind(controller.refining.text)
        Ui.shownWhen(text, controller.refining.text.isNotEmpty())
        HBox decide = Ui.row(Ui.wide(Ui.button('Keep', 'Keeps the refinement; it is a version of the class') { controller.refining.keep() }),
            Ui.wide(Ui.button('Revert', 'Goes back to the version before; the judgements are kept') { controller.refining.revert() }))
        Ui.shownWhen(decide, Bindings.createBooleanBinding({ -> controller.refining.refined.get()?.activated ?: false }, controller.refining.refined))
        legend.visible = false
        legend.managed = false
        node = Ui.section('Refine', refine, running, text, legend, decide)
        controller.refining.refined.addListener { ObservableValue<? extends RefineOutcome> of, RefineOutcome old, RefineOutcome now -> show() }
        controller.state.changes.addListener { ObservableValue<?> of, Object old, Object now -> show() }
    }

    private void show() {
        Difference difference = controller.refining.difference
        boolean any = difference != null && controller.refining.refined.get() != null
        legend.visible = any
        legend.managed = any
        if (!any) return
        legend.children.setAll(entry(PromptOverlay.ADDED, "${difference.added.size()} added" as String),
            entry(PromptOverlay.REMOVED, "${difference.removed.size()} removed" as String),
            entry(PromptOverlay.RESHAPED, "${difference.reshaped.size()} reshaped" as String))
    }

    private static Node entry(java.awt.Color color, String text) {
        Rectangle swatch = new Rectangle(12, 12)
        swatch.fill = javafx.scene.paint.Color.web(Ui.css(color))
        swatch.arcWidth = 4
        swatch.arcHeight = 4
        return Ui.row(swatch, new Label(text))
    }
}
