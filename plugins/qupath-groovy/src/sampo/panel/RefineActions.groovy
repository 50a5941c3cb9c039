package sampo.panel

import com.google.gson.JsonElement
import groovy.transform.CompileStatic
import javafx.beans.property.BooleanProperty
import javafx.beans.property.DoubleProperty
import javafx.beans.property.ObjectProperty
import javafx.beans.property.SimpleBooleanProperty
import javafx.beans.property.SimpleDoubleProperty
import javafx.beans.property.SimpleObjectProperty
import javafx.beans.property.SimpleStringProperty
import javafx.beans.property.StringProperty
import sampo.glue.ImageSession
import sampo.glue.Intent
import sampo.glue.RefineOutcome
import sampo.transport.BridgeFault

/** Refine, and what it changed: kept, or taken back. */
@CompileStatic
class RefineActions {
    /** The last refinement, until it is kept or taken back. */
    final ObjectProperty<RefineOutcome> refined = new SimpleObjectProperty<>()
    final StringProperty text = new SimpleStringProperty('')
    final BooleanProperty underWay = new SimpleBooleanProperty(false)
    /** 0 to 1, or -1 while unknown. */
    final DoubleProperty progress = new SimpleDoubleProperty(0)
    /** Shown over the image after a refinement; null for none. */
    Difference difference
    private final Controller controller

    RefineActions(Controller controller) { this.controller = controller }

    void refine() {
        Intent intent = controller.state.intent.get()
        if (intent == null) {
            controller.work.say('Click nuclei and judge what is found first: Refine learns from that.')
            return
        }
        controller.review.stop()
        Work work = controller.work
        controller.images.withSession { ImageSession session ->
            work.later { begun() }
            try {
                RefineOutcome done = session.refine(intent.id) { String said, Double percent, Double eta, JsonElement metrics ->
                    work.later { showProgress(said, percent, eta, metrics) }
                }
                Difference made = new Difference(session, done.change)
                work.later {
                    refined.set(done)
                    difference = made
                    text.set("${done.verdict.capitalize()} (${String.format(Locale.ROOT, '%.1f', done.seconds)} s)" as String)
                    controller.viewers.repaint()
                }
            } catch (BridgeFault failed) {
                work.later { text.set(failed.name == 'RequestCancelled' ? 'Stopped: nothing was changed.' : failed.sentence()) }
                if (failed.name != 'RequestCancelled') throw failed
            } finally {
                work.later {
                    underWay.set(false)
                    controller.state.touched()
                }
            }
        }
    }

    void keep() { settle('Kept.') }

    void revert() {
        RefineOutcome last = refined.get()
        ImageSession session = difference?.session ?: controller.images.current
        if (last == null || session == null) return
        text.set('Going back …')
        controller.work.start {
            session.revert(last)
            controller.work.later { settle('Back to the version before; the judgements are kept.') }
        }
    }

    /** Uses a version of a class; null is the model as shipped. */
    void activate(Intent intent, String checkpointId) {
        controller.images.withSession { ImageSession session ->
            session.activate(intent.id, checkpointId)
            controller.work.later { controller.work.say("${intent.name} now uses ${checkpointId == null ? 'the model as shipped' : 'that version'}." as String) }
        }
    }

    private void begun() {
        underWay.set(true)
        progress.set(-1d)
        text.set('Reading what you judged …')
        refined.set(null)
        difference = null
    }

    private void showProgress(String said, Double percent, Double eta, JsonElement metrics) {
        progress.set(percent == null ? -1d : percent / 100d)
        text.set("$said${eta == null ? '' : ", ${Math.ceil(eta) as int} s left"}${figures(metrics)}" as String)
    }

    private void settle(String said) {
        difference = null
        refined.set(null)
        text.set(said)
        controller.viewers.repaint()
    }

    private static String figures(JsonElement metrics) {
        if (metrics == null || !metrics.isJsonObject() || !metrics.asJsonObject.has('loss')) return ''
        return ", loss ${String.format(Locale.ROOT, '%.3f', metrics.asJsonObject.get('loss').asDouble)}" as String
    }
}
