package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.beans.binding.Bindings
import javafx.scene.control.ButtonBar
import javafx.scene.control.ButtonType
import javafx.scene.control.ComboBox
import javafx.scene.control.Dialog
import javafx.scene.control.Label
import javafx.scene.layout.VBox
import javafx.stage.Window

/** Asks for the class that is clicked: one that QuPath has, or a new name. */
@CompileStatic
class ClassNameDialog {
    /** @return null when the user does not say */
    static String ask(List<String> names, Window owner) {
        Dialog<String> dialog = new Dialog<>()
        dialog.title = 'SAMPO'
        dialog.initOwner(owner)
        ButtonType use = new ButtonType('Use', ButtonBar.ButtonData.OK_DONE)
        dialog.dialogPane.buttonTypes.addAll(use, ButtonType.CANCEL)
        ComboBox<String> box = new ComboBox<>()
        box.editable = true
        box.items.setAll(names)
        box.promptText = 'e.g. Lymphocyte'
        box.maxWidth = Double.MAX_VALUE
        VBox content = new VBox(8d, new Label('What kind of nucleus is it?\nChoose a class, or type a new name.'), box)
        content.prefWidth = 320
        dialog.dialogPane.content = content
        dialog.setResultConverter { ButtonType pressed ->
            String text = (box.editor.text ?: box.value)?.trim()
            pressed == use && text ? text : null
        }
        // With nothing said there is nothing to use.
        dialog.dialogPane.lookupButton(use).disableProperty().bind(Bindings.createBooleanBinding({ -> !box.editor.text?.trim() }, box.editor.textProperty()))
        dialog.setOnShown { Platform.runLater { box.editor.requestFocus() } }
        return dialog.showAndWait().orElse(null)
    }
}
