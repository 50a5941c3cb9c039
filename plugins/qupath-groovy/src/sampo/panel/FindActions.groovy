package sampo.panel

import com.google.gson.JsonObject
import groovy.transform.CompileStatic
import javafx.animation.PauseTransition
import javafx.util.Duration
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import qupath.lib.gui.viewer.QuPathViewer
import qupath.lib.objects.PathObject
import qupath.lib.roi.interfaces.ROI
import sampo.glue.Click
import sampo.glue.Extents
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.Prompts
import sampo.glue.SearchOutcome
import sampo.glue.ViewerImage
import sampo.transport.BridgeFault

/** Finding all objects like those clicked: where, how sure, live; and giving selected objects a class. */
@CompileStatic
class FindActions {
    private static final Logger LOGGER = LoggerFactory.getLogger('SAMPO')
    private static final int SLIDER_DELAY_MS = 120
    private static final String CLICK_FIRST = 'Click a nucleus first: it says what to look for.'
    private static final String NO_POSITIVE = 'Click at least one nucleus of the class: it says what to look for.'
    private final Controller controller
    private final PauseTransition thresholdDelay = new PauseTransition(Duration.millis(SLIDER_DELAY_MS))
    private Double wantedThreshold
    /** A search that is asked for later takes the place of one under way. */
    private volatile int searchNumber = 0

    FindActions(Controller controller) {
        this.controller = controller
        thresholdDelay.setOnFinished { applyThreshold() }
    }

    /** @param quiet for the live view: says nothing, starts nothing, keeps no examples */
    void inView(boolean quiet) {
        if (quiet && (!controller.state.live.get() || !controller.workspace.connected)) return
        find(quiet) { ImageSession session -> viewExtent(session) }
    }

    void inImage() { find(false) { ImageSession session -> Extents.image() } }

    void inSelection() {
        PathObject selected = controller.selection().find { PathObject object -> object.isAnnotation() && object.ROI?.isArea() }
        if (selected == null) {
            controller.work.say('Select an annotation first: its area is searched.')
            return
        }
        ROI roi = selected.ROI
        find(false) { ImageSession session -> Extents.region(roi, session.image.server.width, session.image.server.height) }
    }

    /** Searches the view by given examples instead of clicks; the server does not keep them. */
    void withExamples(Intent intent, Prompts examples) {
        controller.images.withSession { ImageSession session -> search(session, [intent], viewExtent(session), false, [examples]) }
    }

    void classifySelected() {
        List<PathObject> selected = controller.selection()
        List<Intent> wanted = controller.state.intents.findAll { Intent intent -> intent.positives > 0 }.toList()
        if (wanted.isEmpty()) {
            controller.work.say(CLICK_FIRST)
            return
        }
        Work work = controller.work
        controller.images.withSession { ImageSession session ->
            work.begin()
            try {
                int count = session.classify(selected, wanted) { String text, Double percent, Double eta -> work.showProgress(text, percent, eta) }
                work.later { work.say("$count of ${selected.size()} selected objects got a class." as String) }
            } finally {
                work.finish()
            }
        }
    }

    boolean hasPositive(ImageSession session, String intentId) {
        return (controller.workspace.intent(intentId)?.positives ?: 0) > 0 ||
            session.clicks.any { Click click -> click.intentId == intentId && click.positive }
    }

    void cancel() {
        controller.images.current?.cancel()
        controller.images.current?.stopRefining()
    }

    /** The slider was moved. @param least null for each class's own */
    void setThreshold(Double least) {
        wantedThreshold = least
        thresholdDelay.playFromStart()
    }

    /** Channels of a fluorescence image, from 0; marker -1 for none. */
    void useStains(int nuclei, int marker) {
        ImageSession session = controller.images.current
        if (session?.image?.stains == null) return
        controller.work.start {
            session.setStains(session.image.stains.with(nuclei, marker))
            controller.work.later {
                controller.work.say("The server now sees ${session.image.stains.describe(ViewerImage.channelNames(session.image.server))}." as String)
                controller.state.touched()
            }
        }
    }

    private void find(boolean quiet, Closure<JsonObject> extent) {
        if (!quiet && controller.gui.imageData == null) {
            controller.work.say(OpenImages.NO_IMAGE)
            return
        }
        List<Intent> wanted = wantedIntents()
        if (wanted.isEmpty()) {
            if (!quiet) controller.work.say(CLICK_FIRST)
            return
        }
        controller.images.withSession { ImageSession session ->
            List<Intent> ready = wanted.findAll { Intent intent -> hasPositive(session, intent.id) }
            if (!ready.isEmpty()) search(session, ready, extent.call(session), !quiet, [])
            else if (!quiet) controller.work.later { controller.work.say(NO_POSITIVE) }
        }
    }

    /** The chosen class alone, or every class that was clicked in this image beside it: then each object goes to the one it fits best. */
    private List<Intent> wantedIntents() {
        Intent chosen = controller.state.intent.get()
        if (chosen == null) return []
        Set<String> clicked = (controller.images.current?.clicks ?: [] as List<Click>).findAll { Click click -> click.positive }
            .collect { Click click -> click.intentId } as Set<String>
        return controller.state.intents.findAll { Intent intent -> intent.id == chosen.id || clicked.contains(intent.id) }.toList()
    }

    private JsonObject viewExtent(ImageSession session) {
        QuPathViewer viewer = controller.gui.allViewers.find { QuPathViewer shown -> shown.imageData.is(session.data) } ?: controller.gui.viewer
        return Extents.view(viewer.displayedRegionShape.bounds2D, session.image.server.width, session.image.server.height)
    }

    /** On a worker. */
    private void search(ImageSession session, List<Intent> wanted, JsonObject extent, boolean remember, List<Prompts> extra) {
        int number = ++searchNumber
        Work work = controller.work
        session.cancel()
        work.begin()
        try {
            SearchOutcome found = session.search(wanted, extent, extra, remember) { String text, Double percent, Double eta ->
                if (number == searchNumber) work.showProgress(text, percent, eta)
            }
            LOGGER.debug('search: {} objects, server {} s, whole {} s', found.total, found.seconds, found.wholeSeconds)
            work.later {
                if (number == searchNumber) {
                    controller.state.outcome.set(found)
                    work.say(summary(found))
                }
            }
        } catch (BridgeFault failed) {
            if (failed.name != 'RequestCancelled') throw failed
            if (number == searchNumber) work.later { work.say('Stopped. What was found by then stays; U takes it back.') }
        } finally {
            if (number == searchNumber) work.finish()
        }
    }

    private static String summary(SearchOutcome found) {
        String counts = found.counts.collect { String name, Integer count -> "$count $name" }.join(', ')
        String text = found.total == 0 ? 'Nothing found here.' : "$counts found in ${String.format(Locale.ROOT, '%.1f', found.wholeSeconds)} s." as String
        if (found.failedTiles > 0) text += " ${found.failedTiles} tiles could not be read."
        if (found.change.unreadable > 0) text += " ${found.change.unreadable} objects could not be read; the log names them."
        List<String> notes = found.warnings.findAll { String note -> note != null }
        return notes ? "$text ${notes.collect { String note -> note.capitalize() }.join('. ')}." as String : text
    }

    private void applyThreshold() {
        ImageSession session = controller.images.current
        if (session == null) return
        Double least = wantedThreshold
        controller.work.start {
            Map<String, Integer> counts = session.applyThreshold(least)
            if (counts.isEmpty()) return
            String found = counts.collect { String name, Integer count -> "$count $name" }.join(', ')
            String score = least == null ? 'its own' : String.format(Locale.ROOT, '%.2f', least)
            controller.work.later { controller.work.say("$found at a least score of $score." as String) }
        }
    }
}
