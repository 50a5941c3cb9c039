package sampo.panel

import groovy.transform.CompileStatic
import javafx.beans.value.ObservableValue
import javafx.scene.Node
import javafx.scene.control.Label
import sampo.glue.ImageSession
import sampo.glue.Intent

/** Saying what is right and what is wrong. */
@CompileStatic
class ReviewSection {
    final Node node
    private final Controller controller
    private final Label count = new Label()

    ReviewSection(Controller controller) {
        this.controller = controller
        count.style = '-fx-font-size: 0.92em; -fx-opacity: 0.8;'
        node = Ui.section('Judge',
            Ui.row(Ui.wide(Ui.button('✓  Yes (Y)', 'The selected objects are right') { controller.judgeActions.judgeSelected(true) }),
                Ui.wide(Ui.button('✗  No (X)', 'The selected objects are wrong: they go, and Refine learns from it') { controller.judgeActions.judgeSelected(false) }),
                Ui.wide(Ui.button('Next (Q)', 'The most uncertain object that was not judged, in the middle of the view') { controller.review.next() })),
            Ui.row(Ui.button('Gallery …', '40 objects at once, most uncertain first') { controller.review.openGallery() },
                Ui.button('Add drawn (K)', 'The selected annotation is an object of this class, outlined by you') { controller.judgeActions.takeDrawn() },
                Ui.button('Undo (U)', 'Takes the last step of this image back, without limit') { controller.judgeActions.undo() }),
            count)
        controller.state.changes.addListener { ObservableValue<?> of, Object old, Object now -> refresh() }
        refresh()
    }

    private void refresh() {
        ImageSession session = controller.currentSession
        Intent intent = controller.state.intent.get()
        if (intent == null) {
            count.text = 'Nothing judged yet.'
            return
        }
        int here = session?.judged(intent.id) ?: 0
        int total = session?.latest?.counts?.get(intent.name) ?: 0
        String unsent = session != null && session.unsent > 0 ? ", ${session.unsent} wait for the server" : ''
        count.text = total > 0 ? "$here judged of $total found here$unsent; ${intent.judgements} in all images." as String
            : "$here judged here$unsent; ${intent.judgements} in all images." as String
    }
}
