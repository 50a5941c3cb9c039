package sampo.panel

import groovy.transform.CompileStatic
import javafx.beans.value.ObservableValue
import javafx.event.ActionEvent
import javafx.geometry.Insets
import javafx.geometry.Pos
import javafx.scene.Node
import javafx.scene.control.Button
import javafx.scene.control.Label
import javafx.scene.control.Tooltip
import javafx.scene.layout.HBox
import javafx.scene.layout.Priority
import javafx.scene.layout.Region
import javafx.scene.layout.VBox
import javafx.scene.paint.Color

/** Pieces that the sections are made of. Colours are the theme's own, so that QuPath's dark theme fits too. */
@CompileStatic
class Ui {
    static Button button(String text, String tip, Closure<?> action) {
        Button made = new Button(text)
        made.focusTraversable = false
        made.tooltip = new Tooltip(tip)
        made.tooltip.wrapText = true
        made.tooltip.maxWidth = 360
        made.setOnAction { ActionEvent event -> action.call() }
        made.minWidth = Region.USE_PREF_SIZE
        return made
    }

    static Button wide(Button button) {
        button.maxWidth = Double.MAX_VALUE
        HBox.setHgrow(button, Priority.ALWAYS)
        return button
    }

    static HBox row(Node... nodes) {
        HBox made = new HBox(6d, nodes)
        made.alignment = Pos.CENTER_LEFT
        return made
    }

    static VBox section(String title, Node... nodes) {
        Label heading = new Label(title)
        heading.style = '-fx-font-weight: bold;'
        VBox made = new VBox(7d)
        made.children.add(heading)
        made.children.addAll(nodes)
        made.padding = new Insets(9, 10, 10, 10)
        made.style = '-fx-border-color: transparent transparent -fx-box-border transparent;'
        return made
    }

    static Label note(String text) {
        Label made = new Label(text)
        made.wrapText = true
        made.style = '-fx-font-size: 0.92em; -fx-opacity: 0.8;'
        made.minHeight = Region.USE_PREF_SIZE
        return made
    }

    static Region space() {
        Region made = new Region()
        HBox.setHgrow(made, Priority.ALWAYS)
        return made
    }

    /** Gone, and taking no room, while `shown` is false. */
    static <T extends Node> T shownWhen(T node, ObservableValue<Boolean> shown) {
        node.visibleProperty().bind(shown)
        node.managedProperty().bind(shown)
        return node
    }

    static Color color(List<Integer> rgb) { return Color.rgb(rgb[0], rgb[1], rgb[2]) }

    static String css(java.awt.Color color) { return String.format('#%02x%02x%02x', color.red, color.green, color.blue) }
}
