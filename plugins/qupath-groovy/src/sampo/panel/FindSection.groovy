package sampo.panel

import groovy.transform.CompileStatic
import javafx.beans.binding.Bindings
import javafx.beans.value.ObservableValue
import javafx.event.ActionEvent
import javafx.scene.Node
import javafx.scene.control.CheckBox
import javafx.scene.control.ComboBox
import javafx.scene.control.Label
import javafx.scene.control.ProgressBar
import javafx.scene.control.Slider
import javafx.scene.control.Tooltip
import javafx.scene.layout.HBox
import javafx.scene.layout.Priority
import sampo.glue.ImageSession
import sampo.glue.StainMap
import sampo.glue.ViewerImage

/** Finding all objects like those clicked: where, how sure, live. */
@CompileStatic
class FindSection {
    final Node node
    private final Controller controller
    private final HBox stainRow = new HBox(6d)
    private final ComboBox<String> nuclei = new ComboBox<>()
    private final ComboBox<String> marker = new ComboBox<>()
    private boolean filling = false

    FindSection(Controller controller) {
        this.controller = controller
        ProgressBar bar = new ProgressBar()
        bar.maxWidth = Double.MAX_VALUE
        bar.prefHeight = 14
        HBox.setHgrow(bar, Priority.ALWAYS)
        bar.progressProperty().bind(controller.state.progress)
        HBox running = Ui.row(bar, Ui.button('Cancel', 'Stops the search; what was found by then stays (Esc)') { controller.finding.cancel() })
        Ui.shownWhen(running, controller.state.busy)

        CheckBox live = new CheckBox('Live')
        live.focusTraversable = false
        live.minWidth = javafx.scene.layout.Region.USE_PREF_SIZE
        live.tooltip = new Tooltip('Searches the view as you move over the image')
        live.selectedProperty().bindBidirectional(controller.state.live)

        Slider slider = new Slider(0.05d, 0.95d, 0.5d)
        slider.focusTraversable = false
        slider.blockIncrement = 0.05d
        HBox.setHgrow(slider, Priority.ALWAYS)
        Label value = new Label('0.50')
        value.minWidth = 34
        value.textProperty().bind(Bindings.createStringBinding({ -> String.format(Locale.ROOT, '%.2f', slider.value) }, slider.valueProperty()))
        slider.valueProperty().addListener { ObservableValue<? extends Number> of, Number old, Number now -> controller.finding.setThreshold(now.doubleValue()) }
        Label least = new Label('Least score')
        least.minWidth = javafx.scene.layout.Region.USE_PREF_SIZE
        least.tooltip = new Tooltip('Objects with a lower score are not shown; moving it needs no new search')

        stainRow.children.addAll(new Label('Nuclei'), nuclei, new Label('Marker'), marker)
        stainRow.alignment = javafx.geometry.Pos.CENTER_LEFT
        stainRow.visible = false
        stainRow.managed = false
        for (ComboBox<String> box : [nuclei, marker]) {
            box.focusTraversable = false
            box.prefWidth = 105
            box.setOnAction { ActionEvent event -> chosen() }
        }
        nuclei.tooltip = new Tooltip('The channel with the nuclei; the server sees it as haematoxylin')
        marker.tooltip = new Tooltip('A channel that tells the types apart; the server sees it as DAB')

        node = Ui.section('Find all', stainRow,
            Ui.row(Ui.wide(Ui.button('In view', 'Searches what the viewer shows') { controller.finding.inView(false) }),
                Ui.wide(Ui.button('Annotation', 'Searches the selected annotation') { controller.finding.inSelection() }),
                Ui.wide(Ui.button('Whole image', 'Searches the whole image; objects come while it runs') { controller.finding.inImage() })),
            Ui.row(Ui.button('Only classify selected', 'Gives the selected objects the class they fit; adds and moves nothing') { controller.finding.classifySelected() }, Ui.space(), live),
            Ui.row(least, slider, value), running)
        controller.state.changes.addListener { ObservableValue<?> of, Object old, Object now -> showStains() }
    }

    private void showStains() {
        ImageSession session = controller.currentSession
        StainMap stains = session?.image?.stains
        stainRow.visible = stains != null
        stainRow.managed = stains != null
        if (stains == null) return
        filling = true
        List<String> names = ViewerImage.channelNames(session.image.server)
        nuclei.items.setAll(names)
        marker.items.setAll(['none'] + names)
        nuclei.selectionModel.select(stains.nuclei)
        marker.selectionModel.select(stains.marker + 1)
        filling = false
    }

    private void chosen() {
        if (!filling && nuclei.selectionModel.selectedIndex >= 0) controller.finding.useStains(nuclei.selectionModel.selectedIndex, Math.max(0, marker.selectionModel.selectedIndex) - 1)
    }
}
