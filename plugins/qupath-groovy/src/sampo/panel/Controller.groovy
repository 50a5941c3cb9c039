package sampo.panel

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import javafx.animation.PauseTransition
import javafx.application.Platform
import javafx.beans.property.BooleanProperty
import javafx.beans.property.DoubleProperty
import javafx.beans.property.ObjectProperty
import javafx.beans.property.SimpleBooleanProperty
import javafx.beans.property.SimpleDoubleProperty
import javafx.beans.property.SimpleObjectProperty
import javafx.beans.property.SimpleStringProperty
import javafx.beans.property.StringProperty
import javafx.beans.value.ObservableValue
import javafx.collections.FXCollections
import javafx.collections.ObservableList
import javafx.util.Duration
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import qupath.fx.dialogs.Dialogs
import qupath.lib.gui.QuPathGUI
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.gui.viewer.QuPathViewerListener
import qupath.lib.images.ImageData
import qupath.lib.objects.PathObject
import qupath.lib.objects.classes.PathClass
import qupath.lib.roi.interfaces.ROI
import sampo.glue.Click
import sampo.glue.Extents
import sampo.glue.Features
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Json
import sampo.glue.Prompts
import sampo.glue.RefineOutcome
import sampo.glue.SearchOutcome
import sampo.glue.StainMap
import sampo.glue.Workspace
import sampo.transport.BridgeFault
import sampo.transport.BridgeState
import sampo.transport.MessageSocket

import java.awt.Shape
import java.awt.image.BufferedImage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/**
 * What the panel, the tool and the keys do. Public methods are called on the FX thread and return at once; the work runs on
 * threads of this class, and what it brings comes back through the properties.
 */
@CompileStatic
class Controller {
    private static final Logger LOGGER = LoggerFactory.getLogger('SAMPO')
    private static final int LIVE_DELAY_MS = 150
    private static final int QUEUE = 40

    final QuPathGUI gui
    final Workspace workspace
    final ClickTool tool

    final ObservableList<Intent> intents = FXCollections.observableArrayList()
    final ObjectProperty<Intent> intent = new SimpleObjectProperty<>()
    final ObjectProperty<BridgeState> state = new SimpleObjectProperty<>(BridgeState.OFFLINE)
    final ObjectProperty<BridgeFault> fault = new SimpleObjectProperty<>()
    /** Something that can be cancelled is under way. */
    final BooleanProperty busy = new SimpleBooleanProperty(false)
    /** 0 to 1, or -1 while unknown. */
    final DoubleProperty progress = new SimpleDoubleProperty(0)
    final StringProperty message = new SimpleStringProperty('')
    final BooleanProperty live = new SimpleBooleanProperty(false)
    /** Counts up with everything that the lower sections show. */
    final DoubleProperty changes = new SimpleDoubleProperty(0)
    final ObjectProperty<SearchOutcome> outcome = new SimpleObjectProperty<>()
    final ObjectProperty<RefineOutcome> refined = new SimpleObjectProperty<>()
    final StringProperty refineText = new SimpleStringProperty('')
    final BooleanProperty refining = new SimpleBooleanProperty(false)
    final DoubleProperty refineProgress = new SimpleDoubleProperty(0)

    Closure<?> openPanel = { -> }
    boolean active = false
    /** Shown over the image after a refinement; null for none. */
    Difference difference
    PathObject reviewed
    ImageSession reviewSession
    private List<JsonObject> queue = []
    private final ExecutorService workers = Executors.newCachedThreadPool(MessageSocket.daemons('sampo-work'))
    private final Map<ImageData<?>, Map<String, ImageSession>> sessions = Collections.synchronizedMap(new WeakHashMap<ImageData<?>, Map<String, ImageSession>>())
    private final Map<QuPathViewer, PromptOverlay> overlays = new ConcurrentHashMap<>()
    private final PauseTransition liveDelay = new PauseTransition(Duration.millis(LIVE_DELAY_MS))
    private final PauseTransition thresholdDelay = new PauseTransition(Duration.millis(120))
    private Double wantedThreshold
    private volatile int searchNumber = 0

    Controller(QuPathGUI gui, Workspace workspace) {
        this.gui = gui
        this.workspace = workspace
        tool = new ClickTool(this)
        workspace.onIntents { List<Intent> list -> Platform.runLater { showIntents(list) } }
        workspace.client.onState { BridgeState now, BridgeFault why ->
            Platform.runLater {
                state.set(now)
                fault.set(why)
            }
        }
        liveDelay.setOnFinished { searchView(true) }
        thresholdDelay.setOnFinished { applyThreshold() }
        gui.viewerProperty().addListener { ObservableValue<? extends QuPathViewer> of, QuPathViewer old, QuPathViewer now -> watch(now) }
        for (QuPathViewer viewer : gui.allViewers) watch(viewer)
        gui.imageDataProperty().addListener { ObservableValue<?> of, Object old, Object now -> imageChanged() }
        intent.addListener { ObservableValue<?> of, Object old, Object now -> touched() }
    }

    // --- The connection

    /** The panel was opened: connect, take the tool in hand. */
    void start() {
        if (!active) {
            active = true
            connect(true)
        }
        gui.toolManager.selectedTool = tool.tool
    }

    void connect(boolean startServer) {
        if (state.get() == BridgeState.CONNECTED || state.get() == BridgeState.CONNECTING) return
        state.set(BridgeState.CONNECTING)
        work {
            try {
                workspace.connect(startServer)
                String device = Json.text(workspace.client.server.getAsJsonObject('device'), 'used')
                later { say("Connected to SAMPO ${workspace.client.server.getAsJsonObject('server').get('version').asString}, running on ${deviceName(device)}." as String) }
                prepareSession()
            } catch (BridgeFault failed) {
                later {
                    state.set(BridgeState.OFFLINE)
                    fault.set(failed)
                }
            }
        }
    }

    static String deviceName(String device) {
        return device == null || device == 'cpu' ? 'the processor (CPU)' : device
    }

    // --- Sessions

    /** The session of an open image, if there is one; for drawing. */
    ImageSession sessionOf(ImageData<BufferedImage> data, int z, int t) {
        return sessions.get(data)?.get("$z,$t" as String)
    }

    private ImageSession current() {
        QuPathViewer viewer = gui.viewer
        return viewer?.imageData == null ? null : sessionOf(viewer.imageData, viewer.ZPosition, viewer.TPosition)
    }

    ImageSession getCurrentSession() { return current() }

    /** On a worker: the session of what a viewer shows, made when there is none. */
    private ImageSession makeSession(ImageData<BufferedImage> data, int z, int t) {
        ImageSession known = sessionOf(data, z, t)
        if (known != null) return known
        ImageSession made = workspace.session(data, z, t)
        sessions.computeIfAbsent(data) { ImageData<?> key -> new ConcurrentHashMap<String, ImageSession>() }.put("$z,$t" as String, made)
        return made
    }

    /** Runs `body` with the session of the active viewer, on a worker. */
    private void withSession(Closure<?> body) {
        QuPathViewer viewer = gui.viewer
        ImageData<BufferedImage> data = viewer?.imageData
        if (data == null) {
            say('No image is open: open one first.')
            return
        }
        int z = viewer.ZPosition, t = viewer.TPosition
        work {
            if (!workspace.connected) workspace.connect(true)
            ImageSession session = makeSession(data, z, t)
            if (session.image.pixelSizeMicrons == null && session.pixelSize == null && !askPixelSize(session)) return
            body.call(session)
        }
    }

    /** Makes the session ahead of the first click, so that kept clicks show. */
    private void prepareSession() {
        QuPathViewer viewer = gui.viewer
        ImageData<BufferedImage> data = viewer?.imageData
        if (data == null || !workspace.connected) return
        makeSession(data, viewer.ZPosition, viewer.TPosition)
        later { touched() }
    }

    private void imageChanged() {
        reviewed = null
        queue = []
        outcome.set(null)
        if (active) work { prepareSession() }
        touched()
    }

    private boolean askPixelSize(ImageSession session) {
        java.util.concurrent.CompletableFuture<Double> answer = new java.util.concurrent.CompletableFuture<>()
        Platform.runLater {
            Double given = Dialogs.showInputDialog('SAMPO', 'This image does not say how large a pixel is.\nMicrometres per pixel (20x is about 0.5, 40x about 0.25):', 0.5d)
            answer.complete(given)
        }
        Double microns = answer.get()
        if (microns == null || !(microns > 0)) {
            later { say('Without a pixel size nothing can be searched: set it in the Image tab, or give it when asked.') }
            return false
        }
        session.pixelSize = microns
        return true
    }

    // --- Intents

    private void showIntents(List<Intent> list) {
        String chosen = intent.get()?.id
        intents.setAll(list)
        Intent again = list.find { Intent one -> one.id == chosen }
        intent.set(again ?: (list ? list.first() : null))
        for (Intent one : list) offerClass(one)
        touched()
    }

    /** QuPath's own list of classes has the intent too, in its colour. */
    private void offerClass(Intent one) {
        PathClass pathClass = PathClass.fromString(one.name)
        if (gui.availablePathClasses.contains(pathClass)) return
        pathClass.setColor(qupath.lib.common.ColorTools.packRGB(one.color[0], one.color[1], one.color[2]))
        if (one.is(intent.get())) gui.availablePathClasses.add(pathClass)
    }

    /** The colour of a class in QuPath's list; null for one that is not there. */
    private List<Integer> listedColor(String name) {
        return Features.colorOf(gui.availablePathClasses.find { PathClass one -> one?.toString() == name })
    }

    void createIntent(String name) {
        List<Integer> color = listedColor(name)
        work {
            if (!workspace.connected) workspace.connect(true)
            Intent made = workspace.intentFor(name, color)
            later { intent.set(intents.find { Intent one -> one.id == made.id }) }
        }
    }

    void renameIntent(Intent which, String name) {
        work {
            workspace.updateIntent(which.id, name, null)
            // Objects shown follow the new name.
            for (ImageSession session : workspace.allSessions()) {
                List<PathObject> theirs = session.placer.all().findAll { PathObject one -> one.pathClass?.toString() == which.name }
                PathClass renamed = PathClass.fromString(name, qupath.lib.common.ColorTools.packRGB(which.color[0], which.color[1], which.color[2]))
                for (PathObject one : theirs) one.pathClass = renamed
                session.placer.adopt(theirs)
                session.data.hierarchy.fireObjectClassificationsChangedEvent(this, theirs)
            }
        }
    }

    void recolorIntent(Intent which, List<Integer> color) {
        work {
            workspace.updateIntent(which.id, null, color)
            later {
                PathClass.fromString(which.name).setColor(qupath.lib.common.ColorTools.packRGB(color[0], color[1], color[2]))
                for (QuPathViewer viewer : gui.allViewers) viewer.repaintEntireImage()
            }
        }
    }

    void deleteIntent(Intent which) {
        if (!Dialogs.showYesNoDialog('SAMPO', "Delete \"${which.name}\" with its ${which.examples} examples, ${which.judgements} judgements and all versions?\nObjects in images stay." as String)) return
        work { workspace.deleteIntent(which.id) }
    }

    void forgetExamples(Intent which) {
        current()?.clearClicks(which.id)
        repaint()
        work { workspace.forgetExamples(which.id) }
    }

    // --- Clicks

    void clicked(QuPathViewer viewer, double atX, double atY, boolean positive) {
        if (!active) openPanel.call()
        double x = Math.round(atX * 10) / 10d, y = Math.round(atY * 10) / 10d
        ImageData<BufferedImage> data = viewer.imageData
        if (x < 0 || y < 0 || x >= data.server.width || y >= data.server.height) {
            say('That is outside the image: click a nucleus.')
            return
        }
        Intent of = intent.get()
        if (of == null) {
            String name = askClassName()
            if (name == null) return
            List<Integer> color = listedColor(name)
            int z = viewer.ZPosition, t = viewer.TPosition
            work {
                if (!workspace.connected) workspace.connect(true)
                Intent made = workspace.intentFor(name, color)
                later { intent.set(intents.find { Intent one -> one.id == made.id }) }
                ImageSession session = makeSession(data, z, t)
                later { addClick(viewer, session, new Click(made.id, x, y, positive)) }
            }
            return
        }
        ImageSession known = sessionOf(data, viewer.ZPosition, viewer.TPosition)
        PathObject wrong = positive || known == null ? null : objectAt(known, x, y)
        if (wrong != null) {
            judge(known, of, [wrong], false)
            return
        }
        if (known != null) {
            addClick(viewer, known, new Click(of.id, x, y, positive))
            return
        }
        int z = viewer.ZPosition, t = viewer.TPosition
        work {
            ImageSession session = makeSession(data, z, t)
            later { addClick(viewer, session, new Click(of.id, x, y, positive)) }
        }
    }

    private void addClick(QuPathViewer viewer, ImageSession session, Click click) {
        session.addClick(click)
        watch(viewer)
        viewer.repaint()
        touched()
        if (hasPositive(session, click.intentId)) searchView(false)
        else say('Noted as "not this". Now click at least one nucleus that is.')
    }

    /** The class to click for, when there is no intent yet; null when the user does not say. */
    String askClassName() {
        List<String> names = gui.availablePathClasses.findAll { PathClass one -> one != null && one != PathClass.NULL_CLASS && !one.name.endsWith('*') }
            .collect { PathClass one -> one.toString() }.toList()
        return ClassNameDialog.ask(names, gui.stage)
    }

    void dropLastClick() {
        ImageSession session = current()
        if (session == null || intent.get() == null) return
        session.dropLastClick(intent.get().id)
        repaint()
        touched()
    }

    void clearClicks() {
        ImageSession session = current()
        if (session == null || intent.get() == null) return
        session.clearClicks(intent.get().id)
        repaint()
        touched()
    }

    private boolean hasPositive(ImageSession session, String intentId) {
        return (workspace.intent(intentId)?.positives ?: 0) > 0 || session.clicks.any { Click one -> one.intentId == intentId && one.positive }
    }

    /** Points and areas that are selected become examples of the intent. */
    void selectedAsExamples() {
        Intent of = intent.get()
        List<PathObject> selected = selection()
        if (of == null || selected.isEmpty()) {
            say('Select points, cells or annotations first: they become examples of the chosen class.')
            return
        }
        withSession { ImageSession session -> search(session, [of], viewExtent(session), false, [new Prompts(of.id).addObjects(selected)]) }
    }

    // --- Finding

    void findInView() { searchView(false) }

    void findInImage() { find { ImageSession session -> Extents.image() } }

    void findInSelection() {
        PathObject selected = selection().find { PathObject one -> one.isAnnotation() && one.ROI?.isArea() }
        if (selected == null) {
            say('Select an annotation first: its area is searched.')
            return
        }
        ROI roi = selected.ROI
        find { ImageSession session -> Extents.region(roi, session.image.server.width, session.image.server.height) }
    }

    private void find(Closure<JsonObject> extent) {
        List<Intent> wanted = wantedIntents()
        if (wanted.isEmpty()) {
            say('Click a nucleus first: it says what to look for.')
            return
        }
        withSession { ImageSession session ->
            if (!wanted.any { Intent one -> hasPositive(session, one.id) }) {
                later { say('Click at least one nucleus of the class: it says what to look for.') }
                return
            }
            search(session, wanted.findAll { Intent one -> hasPositive(session, one.id) }, extent.call(session), true, [])
        }
    }

    void classifySelected() {
        List<PathObject> selected = selection()
        List<Intent> wanted = intents.findAll { Intent one -> one.positives > 0 }.toList()
        if (wanted.isEmpty()) {
            say('Click a nucleus first: it says what to look for.')
            return
        }
        withSession { ImageSession session ->
            begin()
            try {
                int count = session.classify(selected, wanted) { String text, Double percent, Double eta -> showProgress(text, percent, eta) }
                later { say("$count of ${selected.size()} selected objects got a class." as String) }
            } finally {
                finish()
            }
        }
    }

    private void searchView(boolean quiet) {
        if (quiet && (!live.get() || !workspace.connected)) return
        List<Intent> wanted = wantedIntents()
        if (wanted.isEmpty()) {
            if (!quiet) say('Click a nucleus first: it says what to look for.')
            return
        }
        withSession { ImageSession session ->
            List<Intent> ready = wanted.findAll { Intent one -> hasPositive(session, one.id) }
            if (ready.isEmpty()) {
                if (!quiet) later { say('Click at least one nucleus of the class: it says what to look for.') }
                return
            }
            search(session, ready, viewExtent(session), !quiet, [])
        }
    }

    /** The chosen class alone, or every class that was clicked in this image beside it: then each object goes to the one it fits best. */
    private List<Intent> wantedIntents() {
        Intent chosen = intent.get()
        if (chosen == null) return []
        ImageSession session = current()
        Set<String> clicked = session == null ? Collections.<String>emptySet() : session.clicks.findAll { Click one -> one.positive }.collect { Click one -> one.intentId } as Set<String>
        return intents.findAll { Intent one -> one.id == chosen.id || clicked.contains(one.id) }.toList()
    }

    private JsonObject viewExtent(ImageSession session) {
        QuPathViewer viewer = gui.allViewers.find { QuPathViewer one -> one.imageData.is(session.data) } ?: gui.viewer
        Shape shown = viewer.displayedRegionShape
        return Extents.view(shown.bounds2D, session.image.server.width, session.image.server.height)
    }

    /** On a worker. A search that is asked for later takes the place of one under way. */
    private void search(ImageSession session, List<Intent> wanted, JsonObject extent, boolean remember, List<Prompts> extra) {
        int number = ++searchNumber
        session.cancel()
        begin()
        try {
            long started = System.nanoTime()
            SearchOutcome found = session.search(wanted, extent, extra, remember) { String text, Double percent, Double eta ->
                if (number == searchNumber) showProgress(text, percent, eta)
            }
            LOGGER.debug('search: {} objects, server {} s, whole {} s', found.total, found.seconds, (System.nanoTime() - started) / 1e9d)
            later {
                if (number == searchNumber) {
                    outcome.set(found)
                    say(summary(found))
                }
            }
        } catch (BridgeFault failed) {
            if (failed.name == 'RequestCancelled') {
                if (number == searchNumber) later { say('Stopped. What was found by then stays; U takes it back.') }
                return
            }
            throw failed
        } finally {
            if (number == searchNumber) finish()
        }
    }

    private static String summary(SearchOutcome found) {
        String counts = found.counts.collect { String name, Integer count -> "$count $name" }.join(', ')
        String text = found.total == 0 ? 'Nothing found here.' : "$counts found in ${String.format(Locale.ROOT, '%.1f', found.wholeSeconds)} s." as String
        if (found.failedTiles > 0) text += " ${found.failedTiles} tiles could not be read."
        if (found.change.unreadable > 0) text += " ${found.change.unreadable} objects could not be read; the log names them."
        List<String> notes = found.warnings.findAll { String one -> one != null }
        return notes ? "$text ${notes.collect { String one -> one.capitalize() }.join('. ')}." as String : text
    }

    void cancel() {
        current()?.cancel()
        current()?.stopRefining()
    }

    /** The slider was moved. @param least null for each class's own */
    void setThreshold(Double least) {
        wantedThreshold = least
        thresholdDelay.playFromStart()
    }

    private void applyThreshold() {
        ImageSession session = current()
        if (session == null) return
        Double least = wantedThreshold
        work {
            Map<String, Integer> counts = session.applyThreshold(least)
            if (!counts.isEmpty()) later { say("${counts.collect { String name, Integer count -> "$count $name" }.join(', ')} at a least score of ${least == null ? 'its own' : String.format(Locale.ROOT, '%.2f', least)}." as String) }
        }
    }

    // --- Judging

    List<PathObject> selection() {
        ImageData<BufferedImage> data = gui.imageData
        return data == null ? new ArrayList<PathObject>() : new ArrayList<PathObject>(data.hierarchy.selectionModel.selectedObjects)
    }

    void select(QuPathViewer viewer, double x, double y) {
        ImageSession session = sessionOf(viewer.imageData, viewer.ZPosition, viewer.TPosition)
        PathObject under = session == null ? null : objectAt(session, x, y)
        viewer.imageData.hierarchy.selectionModel.setSelectedObject(under)
    }

    private static PathObject objectAt(ImageSession session, double x, double y) {
        return session.placer.all().find { PathObject one -> one.ROI.contains(x, y) }
    }

    /** Accepts or rejects the object in review, else what is selected. */
    void judgeSelected(boolean accept) {
        Intent of = intent.get()
        ImageSession session = current()
        if (of == null || session == null) return
        if (reviewed != null && reviewSession.is(session)) {
            JsonObject feature = queue.find { JsonObject one -> Json.text(one, 'id') == reviewed.ID.toString() }
            if (feature != null) {
                queue.remove(feature)
                work {
                    session.judgeFeatures(of.id, accept ? [feature] : [], accept ? [] : [feature])
                    judgedMore()
                }
                reviewNext()
                return
            }
        }
        List<PathObject> objects = selection().findAll { PathObject one -> one.isDetection() }
        if (objects.isEmpty()) {
            say('Ctrl-click an object first, or press Q for the next one to review.')
            return
        }
        judge(session, of, objects, accept)
    }

    /** The class that each object has says whose judgement it is. */
    private void judge(ImageSession session, Intent of, List<PathObject> objects, boolean accept) {
        Map<String, List<PathObject>> byIntent = objects.groupBy { PathObject one -> workspace.intentNamed(one.pathClass?.toString())?.id ?: of.id }
        work {
            byIntent.each { String id, List<PathObject> ones -> session.judge(id, ones, accept) }
            judgedMore()
            later {
                say("${objects.size()} ${accept ? 'accepted' : 'rejected'}.${session.unsent > 0 ? ' They are kept here until the server is back.' : ''}" as String)
                touched()
            }
        }
    }

    /** The selected annotation is an object of the class: drawn by the user, the user's. */
    void takeDrawn() {
        Intent of = intent.get()
        ImageSession session = current()
        PathObject drawn = selection().find { PathObject one -> one.isAnnotation() && one.ROI?.isArea() }
        if (of == null || session == null || drawn == null) {
            say('Draw the outline as an annotation and select it: K adds it to the class.')
            return
        }
        work {
            session.addDrawn(of.id, drawn)
            judgedMore()
            later {
                say("Added to ${of.name}: the drawn outline counts as right." as String)
                touched()
            }
        }
    }

    /** The next object of the review queue, most uncertain first, in the middle of the view. */
    void reviewNext() {
        Intent of = intent.get()
        ImageSession session = current()
        if (of == null || session == null) {
            say('Find objects first: there is nothing to review.')
            return
        }
        JsonObject next = reviewed == null ? (queue ? queue[0] : null) : queue.find { JsonObject one -> Json.text(one, 'id') != reviewed.ID.toString() }
        if (next != null) {
            if (reviewed != null) queue.remove(queue.find { JsonObject one -> Json.text(one, 'id') == reviewed.ID.toString() })
            showReviewed(session, next)
            return
        }
        work {
            List<JsonObject> more = session.review(of.id, QUEUE)
            later {
                queue = new ArrayList<JsonObject>(more)
                if (queue.isEmpty()) {
                    reviewed = null
                    say('Everything here was reviewed.')
                    repaint()
                } else {
                    showReviewed(session, queue[0])
                }
                touched()
            }
        }
    }

    private void showReviewed(ImageSession session, JsonObject feature) {
        PathObject present = session.placer.find([UUID.fromString(Json.text(feature, 'id'))] as Set<UUID>).values().find()
        reviewed = present ?: Features.toDetection(feature, session.image.plane)
        reviewSession = session
        QuPathViewer viewer = gui.viewer
        viewer.setCenterPixelLocation(reviewed.ROI.centroidX, reviewed.ROI.centroidY)
        if (present != null) session.data.hierarchy.selectionModel.setSelectedObject(present)
        say("Is this ${intent.get().name}? Score ${String.format(Locale.ROOT, '%.2f', Features.score(feature))}.  Y yes   X no   Q next" as String)
        repaint()
    }

    void stopReview() {
        if (reviewed != null) say('')
        reviewed = null
        queue = []
        repaint()
    }

    void openGallery() {
        Intent of = intent.get()
        ImageSession session = current()
        if (of == null || session == null) {
            say('Find objects first: there is nothing to review.')
            return
        }
        new Gallery(this, session, of).show()
    }

    void better(ImageSession session, JsonObject candidates, int chosen) {
        work {
            session.better(Json.text(candidates, 'intentId'), candidates, chosen)
            later {
                say('Noted: this outline is better.')
                touched()
            }
        }
    }

    void undo() {
        ImageSession session = current()
        if (session == null || !session.canUndo()) {
            say('There is nothing to undo in this image.')
            return
        }
        work {
            String what = session.undo()
            judgedMore()
            later {
                say("Undone: $what." as String)
                touched()
            }
        }
    }

    // --- Refining

    void refine() {
        Intent of = intent.get()
        if (of == null) {
            say('Click nuclei and judge what is found first: Refine learns from that.')
            return
        }
        stopReview()
        withSession { ImageSession session ->
            later {
                refining.set(true)
                refineProgress.set(-1)
                refineText.set('Reading what you judged …')
                refined.set(null)
                difference = null
            }
            try {
                RefineOutcome done = session.refine(of.id) { String text, Double percent, Double eta, JsonElement metrics ->
                    later {
                        refineProgress.set(percent == null ? -1d : percent / 100d)
                        refineText.set("$text${eta == null ? '' : ", ${Math.ceil(eta) as int} s left"}${figures(metrics)}" as String)
                    }
                }
                later {
                    refined.set(done)
                    difference = new Difference(session, done.change)
                    refineText.set("${done.verdict.capitalize()} (${String.format(Locale.ROOT, '%.1f', done.seconds)} s)" as String)
                    repaint()
                }
            } catch (BridgeFault failed) {
                later { refineText.set(failed.name == 'RequestCancelled' ? 'Stopped: nothing was changed.' : failed.sentence()) }
                if (failed.name != 'RequestCancelled') throw failed
            } finally {
                later {
                    refining.set(false)
                    touched()
                }
            }
        }
    }

    private static String figures(JsonElement metrics) {
        if (metrics == null || !metrics.isJsonObject() || !metrics.asJsonObject.has('loss')) return ''
        return ", loss ${String.format(Locale.ROOT, '%.3f', metrics.asJsonObject.get('loss').asDouble)}" as String
    }

    void keepRefinement() {
        difference = null
        refined.set(null)
        refineText.set('Kept.')
        repaint()
    }

    void revertRefinement() {
        RefineOutcome last = refined.get()
        ImageSession session = difference?.session ?: current()
        if (last == null || session == null) return
        refineText.set('Going back …')
        work {
            session.revert(last)
            later {
                difference = null
                refined.set(null)
                refineText.set('Back to the version before; the judgements are kept.')
                repaint()
            }
        }
    }

    void activate(Intent of, String checkpointId) {
        withSession { ImageSession session ->
            session.activate(of.id, checkpointId)
            later { say("${of.name} now uses ${checkpointId == null ? 'the model as shipped' : 'that version'}." as String) }
        }
    }

    void useStains(int nuclei, int marker) {
        ImageSession session = current()
        if (session?.image?.stains == null) return
        work {
            session.setStains(session.image.stains.with(nuclei, marker))
            later {
                say("The server now sees ${session.image.stains.describe(sampo.glue.ViewerImage.channelNames(session.image.server))}." as String)
                touched()
            }
        }
    }

    // --- Around

    /** A sentence in the panel. */
    void say(String text) {
        message.set(text)
        LOGGER.debug(text)
    }

    void repaint() { for (QuPathViewer viewer : gui.allViewers) viewer.repaint() }

    private void touched() { changes.set(changes.get() + 1) }

    private void begin() {
        later {
            busy.set(true)
            progress.set(-1)
        }
    }

    private void finish() { later { busy.set(false) } }

    private void showProgress(String text, Double percent, Double eta) {
        later {
            progress.set(percent == null ? -1d : percent / 100d)
            String left = eta != null && eta > 2 ? ", ${Math.ceil(eta) as int} s left" : ''
            message.set("${text.capitalize()}$left" as String)
        }
    }

    private void later(Runnable body) { Platform.runLater(body) }

    /** On a worker: counts have changed. */
    void judgedMore() {
        if (workspace.connected) workspace.refreshIntents()
        later { touched() }
    }

    /** Runs on a worker; what goes wrong is said in the panel, with what to do. */
    private void work(Closure<?> body) {
        workers.execute {
            try {
                body.call()
            } catch (BridgeFault failed) {
                LOGGER.warn('{} ({})', failed.message, failed.name)
                later { say(failed.sentence()) }
            } catch (IllegalArgumentException advice) {
                later { say("${advice.message.capitalize()}." as String) }
            } catch (Throwable broken) {
                LOGGER.error('SAMPO', broken)
                later { say("Something failed that should not: ${broken.message ?: broken.class.simpleName}. The log has more (View > Show log)." as String) }
            }
        }
    }

    private void watch(QuPathViewer viewer) {
        if (viewer == null || overlays.containsKey(viewer)) return
        PromptOverlay overlay = new PromptOverlay(this, viewer)
        overlays.put(viewer, overlay)
        viewer.customOverlayLayers.add(overlay)
        tool.keepMenuAway(viewer)
        Controller controller = this
        viewer.addViewerListener(new QuPathViewerListener() {
            @Override
            void imageDataChanged(QuPathViewer of, ImageData<BufferedImage> before, ImageData<BufferedImage> now) {
                controller.imageChanged()
            }

            @Override
            void visibleRegionChanged(QuPathViewer of, Shape shape) {
                if (controller.live.get() && of.is(controller.gui.viewer)) controller.liveDelay.playFromStart()
            }

            @Override
            void selectedObjectChanged(QuPathViewer of, PathObject selected) { }

            @Override
            void viewerClosed(QuPathViewer of) { controller.overlays.remove(of) }
        })
    }
}
