package sampo.panel

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import javafx.application.Platform
import javafx.event.ActionEvent
import javafx.geometry.Insets
import javafx.geometry.Pos
import javafx.scene.Scene
import javafx.scene.control.Label
import javafx.scene.image.Image
import javafx.scene.image.ImageView
import javafx.scene.input.KeyCode
import javafx.scene.input.KeyEvent
import javafx.scene.input.MouseEvent
import javafx.scene.layout.BorderPane
import javafx.scene.layout.HBox
import javafx.scene.layout.Region
import javafx.scene.layout.StackPane
import javafx.scene.layout.TilePane
import javafx.scene.layout.VBox
import javafx.stage.Stage
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import sampo.glue.Features
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Json
import sampo.glue.ReviewPage

import java.awt.Color

/** Forty objects at once, most uncertain first: a click turns one, Enter settles all of them and brings the next forty. */
@CompileStatic
class Gallery {
    private static final Logger LOGGER = LoggerFactory.getLogger('SAMPO')
    private static final int COUNT = 40
    private static final int COLUMNS = 8
    private static final int SIDE = 92
    private final Controller controller
    private final ImageSession session
    private final Intent intent
    private final Stage stage = new Stage()
    private final TilePane tiles = new TilePane(8d, 8d)
    private final Label heading = new Label()
    private final List<JsonObject> features = new ArrayList<>()
    private final List<Boolean> right = new ArrayList<>()
    private int settled = 0
    private volatile boolean loading = false

    Gallery(Controller controller, ImageSession session, Intent intent) {
        this.controller = controller
        this.session = session
        this.intent = intent
        tiles.prefColumns = COLUMNS
        tiles.padding = new Insets(10)
        tiles.prefTileWidth = SIDE + 8
        tiles.prefTileHeight = SIDE + 8
        // Sized before the first forty come.
        double width = COLUMNS * (SIDE + 16) + 12, height = COUNT.intdiv(COLUMNS) * (SIDE + 16) + 12
        tiles.setMinSize(width, height)
        tiles.setMaxSize(width, height)
        Label hint = Ui.note("Green is ${intent.name}, red is not. A click turns one; Enter settles all of them.")
        VBox top = new VBox(3d, heading, hint)
        top.padding = new Insets(10, 12, 4, 12)
        heading.style = '-fx-font-weight: bold;'
        HBox bottom = Ui.row(Ui.button('All yes', 'Turns every one to yes') { turnAll(true) }, Ui.button('All no', 'Turns every one to no') { turnAll(false) },
            Ui.button('Undo', 'Takes the last forty back') { undo() }, Ui.space(), Ui.button('Close', 'What is shown stays unjudged') { stage.close() },
            Ui.button('Settle (Enter)', 'Stores these judgements and shows the next') { settle() })
        bottom.padding = new Insets(4, 12, 12, 12)
        BorderPane pane = new BorderPane(tiles)
        pane.top = top
        pane.bottom = bottom
        Scene scene = new Scene(pane)
        scene.stylesheets.addAll(controller.gui.stage.scene.stylesheets)
        scene.addEventFilter(KeyEvent.KEY_PRESSED) { KeyEvent event ->
            if (event.code == KeyCode.ENTER) { settle(); event.consume() }
            else if (event.code == KeyCode.ESCAPE) { stage.close(); event.consume() }
            else if (event.code == KeyCode.U) { undo(); event.consume() }
        }
        stage.initOwner(controller.gui.stage)
        stage.title = "SAMPO: is this ${intent.name}?"
        stage.scene = scene
        stage.resizable = false
    }

    void show() {
        stage.show()
        load()
    }

    private void load() {
        heading.text = 'Looking for the most uncertain …'
        onWorker {
            // The server cuts the pictures: one question instead of forty readings.
            ReviewPage page = session.reviewPage(intent.id, COUNT, SIDE)
            double least = session.threshold ?: 0.5d
            List<Image> crops = page.objects.collect { JsonObject feature ->
                Crops.draw(page.thumbnails.get(Json.text(feature, 'id')), Features.toDetection(feature, session.image.plane), SIDE, Color.WHITE)
            }
            Platform.runLater { fill(page.objects, crops, least) }
        }
    }

    /** @param least score from which an object begins as right */
    private void fill(List<JsonObject> objects, List<Image> crops, double least) {
        features.clear()
        right.clear()
        tiles.children.clear()
        objects.eachWithIndex { JsonObject feature, int index ->
            features.add(feature)
            right.add(Features.score(feature) >= least)
            tiles.children.add(tile(index, crops[index]))
        }
        tell()
        loading = false
    }

    /** What goes wrong is said in the heading, and the window stays as it is. */
    private void onWorker(Closure<?> body) {
        loading = true
        Thread.startDaemon('sampo-gallery') {
            try {
                body.call()
            } catch (Throwable failed) {
                LOGGER.warn('The gallery could not go on', failed)
                Platform.runLater {
                    loading = false
                    heading.text = Work.sentenceOf(failed)
                }
            }
        }
    }

    private StackPane tile(int index, Image crop) {
        Label score = new Label(String.format(Locale.ROOT, '%.2f', Features.score(features[index])))
        score.style = '-fx-background-color: rgba(0,0,0,0.55); -fx-text-fill: white; -fx-font-size: 10; -fx-padding: 0 3 0 3;'
        StackPane box = new StackPane(new ImageView(crop), score)
        StackPane.setAlignment(score, Pos.BOTTOM_RIGHT)
        box.maxWidth = Region.USE_PREF_SIZE
        paint(box, right[index])
        box.addEventHandler(MouseEvent.MOUSE_CLICKED) { MouseEvent event ->
            right[index] = !right[index]
            paint(box, right[index])
            tell()
        }
        return box
    }

    private static void paint(StackPane box, boolean yes) {
        box.style = "-fx-border-color: ${Ui.css(yes ? PromptOverlay.ADDED : PromptOverlay.REMOVED)}; -fx-border-width: 4; -fx-border-radius: 3; -fx-cursor: hand;"
    }

    private void turnAll(boolean yes) {
        for (int i = 0; i < right.size(); i++) {
            right[i] = yes
            paint((StackPane) tiles.children[i], yes)
        }
        tell()
    }

    private void tell() {
        int yes = right.count { Boolean one -> one } as int
        heading.text = features.isEmpty() ? "Everything found here was judged. $settled settled in this window." as String
            : "$yes yes, ${right.size() - yes} no; $settled settled so far" as String
    }

    private void settle() {
        if (loading || features.isEmpty()) return
        List<JsonObject> yes = [], no = []
        features.eachWithIndex { JsonObject feature, int index -> (right[index] ? yes : no).add(feature) }
        onWorker {
            session.judgeFeatures(intent.id, yes, no)
            controller.judgeActions.judgedMore()
            Platform.runLater {
                settled += yes.size() + no.size()
                load()
            }
        }
    }

    private void undo() {
        if (loading) return
        onWorker {
            session.undo()
            controller.judgeActions.judgedMore()
            Platform.runLater { load() }
        }
    }
}
