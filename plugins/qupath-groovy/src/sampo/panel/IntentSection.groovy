package sampo.panel

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.beans.value.ObservableValue
import javafx.event.ActionEvent
import javafx.scene.Node
import javafx.scene.control.CheckMenuItem
import javafx.scene.control.ColorPicker
import javafx.scene.control.ContextMenu
import javafx.scene.control.Label
import javafx.scene.control.ListCell
import javafx.scene.control.ListView
import javafx.scene.control.Menu
import javafx.scene.control.MenuButton
import javafx.scene.control.MenuItem
import javafx.scene.control.OverrunStyle
import javafx.scene.control.SeparatorMenuItem
import javafx.scene.control.Tooltip
import javafx.scene.layout.HBox
import javafx.scene.layout.Priority
import javafx.scene.paint.Color
import javafx.scene.shape.Rectangle
import javafx.util.Callback
import qupath.fx.dialogs.Dialogs
import sampo.glue.Intent
import sampo.glue.Json

/** The classes that SAMPO knows, with their examples and versions; the chosen one is clicked for. */
@CompileStatic
class IntentSection {
    final Node node
    private final Controller controller
    private final ListView<Intent> list

    IntentSection(Controller controller) {
        this.controller = controller
        list = new ListView<>(controller.state.intents)
        list.fixedCellSize = 30
        list.prefHeight = 30 * 4 + 2
        list.minHeight = 30 * 2 + 2
        list.placeholder = Ui.note('No class yet: click a nucleus, or press New.')
        list.cellFactory = { ListView<Intent> of -> new Row() } as Callback<ListView<Intent>, ListCell<Intent>>
        list.selectionModel.selectedItemProperty().addListener { ObservableValue<? extends Intent> of, Intent old, Intent now ->
            if (now != null && now.id != controller.state.intent.get()?.id) controller.state.intent.set(now)
            else if (now != null) controller.state.intent.set(now)
        }
        controller.state.intent.addListener { ObservableValue<? extends Intent> of, Intent old, Intent now ->
            if (now != null) list.selectionModel.select(now)
        }
        MenuButton more = new MenuButton('More')
        more.focusTraversable = false
        more.setOnShowing { fill(more) }
        fill(more)
        node = Ui.section('Class', list, Ui.row(
            Ui.button('New …', 'A class to click for: one of QuPath\'s, or a new name') {
                String name = controller.intentActions.askName()
                if (name != null) controller.intentActions.create(name)
            }, more, Ui.space()))
    }

    private void fill(MenuButton more) {
        Intent chosen = controller.state.intent.get()
        more.items.setAll(
            item('Rename …', chosen) {
                String name = Dialogs.showInputDialog('SAMPO', 'New name of the class', chosen.name)
                if (name?.trim()) controller.intentActions.rename(chosen, name.trim())
            },
            item('Colour …', chosen) { pickColor(chosen) },
            versions(chosen),
            new SeparatorMenuItem(),
            item('Forget the examples', chosen) { controller.intentActions.forgetExamples(chosen) },
            item('Delete …', chosen) { controller.intentActions.delete(chosen) })
        if (chosen != null) listVersions(chosen, (Menu) more.items[2])
    }

    private static Menu versions(Intent chosen) {
        Menu menu = new Menu('Version')
        menu.disable = chosen == null || chosen.judgements == 0 && chosen.checkpointId == null
        menu.items.add(new MenuItem('…'))
        return menu
    }

    private void listVersions(Intent chosen, Menu menu) {
        Thread.startDaemon('sampo-versions') {
            List<JsonObject> known
            try {
                known = controller.workspace.versions(chosen.id)
            } catch (RuntimeException ignored) {
                return
            }
            Platform.runLater {
                menu.items.clear()
                for (JsonObject one : known) menu.items.add(version(chosen, one))
                CheckMenuItem shipped = new CheckMenuItem('as shipped')
                shipped.selected = chosen.checkpointId == null
                shipped.setOnAction { ActionEvent event -> controller.refining.activate(chosen, null) }
                menu.items.add(shipped)
            }
        }
    }

    private CheckMenuItem version(Intent chosen, JsonObject one) {
        JsonElement metrics = one.get('metrics')
        JsonElement judged = metrics != null && metrics.isJsonObject() ? metrics.asJsonObject.get('judgements') : null
        String when = Json.text(one, 'createdAt').take(16).replace('T', ' ')
        CheckMenuItem made = new CheckMenuItem("round ${one.get('round').asInt}, $when${judged == null ? '' : ", ${judged.asInt} judgements"}" as String)
        made.selected = one.get('active').asBoolean
        made.setOnAction { ActionEvent event -> controller.refining.activate(chosen, Json.text(one, 'checkpointId')) }
        return made
    }

    private void pickColor(Intent chosen) {
        ColorPicker picker = new ColorPicker(Ui.color(chosen.color))
        javafx.scene.control.Dialog<javafx.scene.control.ButtonType> dialog = new javafx.scene.control.Dialog<>()
        dialog.title = "Colour of ${chosen.name}" as String
        dialog.dialogPane.content = picker
        dialog.dialogPane.buttonTypes.addAll(javafx.scene.control.ButtonType.OK, javafx.scene.control.ButtonType.CANCEL)
        if (dialog.showAndWait().orElse(null) != javafx.scene.control.ButtonType.OK) return
        Color color = picker.value
        controller.intentActions.recolor(chosen, [color.red, color.green, color.blue].collect { Double part -> Math.round(part * 255) as int })
    }

    private static MenuItem item(String text, Intent chosen, Closure<?> action) {
        MenuItem made = new MenuItem(text)
        made.disable = chosen == null
        made.setOnAction { ActionEvent event -> action.call() }
        return made
    }

    @CompileStatic
    private static class Row extends ListCell<Intent> {
        private final Rectangle swatch = new Rectangle(12, 12)
        private final Label name = new Label()
        private final Label facts = new Label()
        private final HBox box

        Row() {
            swatch.arcWidth = 4
            swatch.arcHeight = 4
            name.textOverrun = OverrunStyle.CENTER_ELLIPSIS
            name.minWidth = 40
            name.maxWidth = Double.MAX_VALUE
            HBox.setHgrow(name, Priority.ALWAYS)
            facts.style = '-fx-font-size: 0.9em; -fx-opacity: 0.75;'
            facts.minWidth = javafx.scene.layout.Region.USE_PREF_SIZE
            box = Ui.row(swatch, name, facts)
            // A long name never makes the panel wider than it is.
            box.minWidth = 0
            box.prefWidth = 1
        }

        @Override
        protected void updateItem(Intent intent, boolean empty) {
            super.updateItem(intent, empty)
            if (empty || intent == null) {
                setGraphic(null)
                setTooltip(null)
                return
            }
            swatch.fill = Ui.color(intent.color)
            name.text = intent.name
            int others = intent.examples - intent.positives
            List<String> parts = ["${intent.positives} example${intent.positives == 1 ? '' : 's'}" as String]
            if (others > 0) parts.add("$others not" as String)
            if (intent.judgements > 0) parts.add("${intent.judgements} judged" as String)
            if (intent.checkpointId != null) parts.add('refined')
            facts.text = parts.join(' · ')
            setGraphic(box)
            setTooltip(new Tooltip("${intent.name}: ${facts.text}" as String))
        }
    }
}
