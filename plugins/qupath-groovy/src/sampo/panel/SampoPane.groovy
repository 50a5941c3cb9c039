package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.beans.binding.Bindings
import javafx.beans.value.ObservableValue
import javafx.geometry.Insets
import javafx.scene.Node
import javafx.scene.control.Label
import javafx.scene.control.ScrollPane
import javafx.scene.layout.HBox
import javafx.scene.layout.Region
import javafx.scene.layout.VBox
import javafx.scene.paint.Color
import javafx.scene.shape.Circle
import sampo.transport.BridgeFault
import sampo.transport.BridgeState

/** The panel: connection, classes, clicks, finding, review, refining, top to bottom in the order of the work. */
@CompileStatic
class SampoPane {
    final Node node
    private final Controller controller

    SampoPane(Controller controller) {
        this.controller = controller
        VBox sections = new VBox(connection(), new IntentSection(controller).node, new ClickSection(controller).node,
            new FindSection(controller).node, new ReviewSection(controller).node, new RefineSection(controller).node)
        ScrollPane scroll = new ScrollPane(sections)
        scroll.fitToWidth = true
        scroll.hbarPolicy = ScrollPane.ScrollBarPolicy.NEVER
        scroll.style = '-fx-background-color: transparent;'
        // Keep and Revert are at the end: they must not wait below the fold.
        for (ObservableValue<?> of : [controller.refining.underWay, controller.refining.refined])
            of.addListener { ObservableValue<?> which, Object old, Object now -> Platform.runLater { scroll.layout(); scroll.vvalue = 1d } }
        Label message = new Label()
        message.textProperty().bind(controller.state.message)
        message.wrapText = true
        message.maxWidth = Double.MAX_VALUE
        message.minHeight = Region.USE_PREF_SIZE
        message.padding = new Insets(8, 10, 8, 10)
        message.style = '-fx-background-color: derive(-fx-base, -6%); -fx-border-color: -fx-box-border transparent transparent transparent;'
        Ui.shownWhen(message, controller.state.message.isNotEmpty())
        VBox whole = new VBox(scroll, message)
        VBox.setVgrow(scroll, javafx.scene.layout.Priority.ALWAYS)
        whole.minWidth = 280
        node = whole
    }

    /** What the connection is doing; when there is none, why, and what to do. */
    private Node connection() {
        Circle light = new Circle(5)
        Label text = new Label()
        light.fillProperty().bind(Bindings.createObjectBinding({ -> lightOf(controller.state.connection.get()) }, controller.state.connection))
        text.textProperty().bind(Bindings.createStringBinding({ -> textOf(controller.state.connection.get()) }, controller.state.connection))
        HBox line = Ui.row(light, text, Ui.space(),
            Ui.shownWhen(Ui.button('Connect', 'Looks for the running server again; starts it where none runs') { controller.connect(true) },
                Bindings.createBooleanBinding({ -> controller.state.connection.get() in [BridgeState.OFFLINE, BridgeState.RECONNECTING] }, controller.state.connection)))
        Label why = new Label()
        why.wrapText = true
        why.minHeight = Region.USE_PREF_SIZE
        why.padding = new Insets(7, 9, 7, 9)
        why.style = '-fx-background-color: #fdecea; -fx-text-fill: #611a15; -fx-background-radius: 4; -fx-border-color: #f5c6c2; -fx-border-radius: 4;'
        why.textProperty().bind(Bindings.createStringBinding({ -> controller.state.fault.get()?.sentence() ?: '' }, controller.state.fault))
        Ui.shownWhen(why, Bindings.createBooleanBinding({ -> controller.state.fault.get() != null && controller.state.active.get() }, controller.state.fault))
        VBox made = new VBox(7d, line, why)
        made.padding = new Insets(9, 10, 9, 10)
        made.style = '-fx-border-color: transparent transparent -fx-box-border transparent;'
        return made
    }

    private static Color lightOf(BridgeState state) {
        switch (state) {
            case BridgeState.CONNECTED: return Color.web('#27ae60')
            case BridgeState.CONNECTING: case BridgeState.RECONNECTING: return Color.web('#f39c12')
            default: return Color.web('#c0392b')
        }
    }

    private String textOf(BridgeState state) {
        switch (state) {
            case BridgeState.CONNECTED: return 'Connected'
            case BridgeState.CONNECTING: return 'Connecting; a server is started where none runs …'
            case BridgeState.RECONNECTING: return 'The connection broke; connecting again …'
            default: return 'Not connected'
        }
    }
}
