package sampo.panel

import groovy.transform.CompileStatic
import javafx.application.Platform
import org.slf4j.Logger
import org.slf4j.LoggerFactory
import sampo.transport.BridgeFault
import sampo.transport.MessageSocket

import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** Work that would keep the windows waiting, on threads of its own; what goes wrong there is said in the panel, with what to do. */
@CompileStatic
class Work {
    private static final Logger LOGGER = LoggerFactory.getLogger('SAMPO')
    private final PanelState state
    private final ExecutorService workers = Executors.newCachedThreadPool(MessageSocket.daemons('sampo-work'))

    Work(PanelState state) { this.state = state }

    /** Runs on a worker. */
    void start(Closure<?> body) {
        workers.execute {
            try {
                body.call()
            } catch (Throwable broken) {
                if (broken instanceof BridgeFault) LOGGER.warn('{} ({})', broken.message, ((BridgeFault) broken).name)
                else if (!(broken instanceof IllegalArgumentException)) LOGGER.error('SAMPO', broken)
                later { say(sentenceOf(broken)) }
            }
        }
    }

    /** Runs on the FX thread, after what it is doing now. */
    void later(Runnable body) { Platform.runLater(body) }

    /** A sentence in the panel. On the FX thread. */
    void say(String text) {
        state.message.set(text)
        LOGGER.debug(text)
    }

    /** What to tell a person: what happened, then what to do. */
    static String sentenceOf(Throwable broken) {
        if (broken instanceof BridgeFault) return ((BridgeFault) broken).sentence()
        if (broken instanceof IllegalArgumentException && broken.message) return "${broken.message.capitalize()}." as String
        return "Something failed that should not: ${broken.message ?: broken.class.simpleName}. The log has more (View > Show log)." as String
    }

    // --- The progress of a search

    void begin() {
        later {
            state.busy.set(true)
            state.progress.set(-1d)
        }
    }

    void finish() { later { state.busy.set(false) } }

    /** @param percent 0 to 100, null while unknown @param eta seconds left, null while unknown */
    void showProgress(String text, Double percent, Double eta) {
        later {
            state.progress.set(percent == null ? -1d : percent / 100d)
            String left = eta != null && eta > 2 ? ", ${Math.ceil(eta) as int} s left" : ''
            state.message.set("${text.capitalize()}$left" as String)
        }
    }
}
