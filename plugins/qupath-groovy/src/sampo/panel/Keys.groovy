package sampo.panel

import groovy.transform.CompileStatic
import javafx.scene.control.ComboBoxBase
import javafx.scene.control.TextInputControl
import javafx.scene.input.KeyCode
import javafx.scene.input.KeyEvent

/** Single keys of SAMPO, while its panel is shown; they leave text fields alone. J, the click tool, is QuPath's to handle. */
@CompileStatic
class Keys {
    private final Controller controller
    private final Map<KeyCode, Closure<?>> actions

    Keys(Controller controller) {
        this.controller = controller
        actions = [
            (KeyCode.Y): { -> controller.judgeActions.judgeSelected(true) },
            (KeyCode.X): { -> controller.judgeActions.judgeSelected(false) },
            (KeyCode.Q): { -> controller.review.next() },
            (KeyCode.U): { -> controller.judgeActions.undo() },
            (KeyCode.K): { -> controller.judgeActions.takeDrawn() },
        ] as Map<KeyCode, Closure<?>>
    }

    void install() {
        controller.gui.stage.scene.addEventFilter(KeyEvent.KEY_PRESSED) { KeyEvent event -> handle(event) }
    }

    private void handle(KeyEvent event) {
        if (!controller.state.active.get() || event.isShortcutDown() || event.isAltDown() || event.isShiftDown()) return
        if (event.target instanceof TextInputControl || event.target instanceof ComboBoxBase) return
        if (event.code == KeyCode.ESCAPE && controller.state.busy.get()) {
            controller.finding.cancel()
            event.consume()
            return
        }
        Closure<?> action = actions.get(event.code)
        if (action == null) return
        event.consume()
        action.call()
    }
}
