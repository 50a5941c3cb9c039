package sampo.panel

import groovy.transform.CompileStatic
import javafx.beans.property.BooleanProperty
import javafx.beans.property.DoubleProperty
import javafx.beans.property.ObjectProperty
import javafx.beans.property.SimpleBooleanProperty
import javafx.beans.property.SimpleDoubleProperty
import javafx.beans.property.SimpleObjectProperty
import javafx.beans.property.SimpleStringProperty
import javafx.beans.property.StringProperty
import javafx.collections.FXCollections
import javafx.collections.ObservableList
import sampo.glue.Intent
import sampo.glue.SearchOutcome
import sampo.transport.BridgeFault
import sampo.transport.BridgeState

/** What the panel shows. Set and read on the FX thread alone. */
@CompileStatic
class PanelState {
    final ObservableList<Intent> intents = FXCollections.observableArrayList()
    /** The class that is clicked for; null before the first. */
    final ObjectProperty<Intent> intent = new SimpleObjectProperty<>()
    final ObjectProperty<BridgeState> connection = new SimpleObjectProperty<>(BridgeState.OFFLINE)
    /** Why there is no connection; null while there is one. */
    final ObjectProperty<BridgeFault> fault = new SimpleObjectProperty<>()
    /** The panel was opened once. */
    final BooleanProperty active = new SimpleBooleanProperty(false)
    /** A search is under way, which can be cancelled. */
    final BooleanProperty busy = new SimpleBooleanProperty(false)
    /** 0 to 1, or -1 while unknown. */
    final DoubleProperty progress = new SimpleDoubleProperty(0)
    /** One sentence about what happened last. */
    final StringProperty message = new SimpleStringProperty('')
    /** The view is searched as it moves. */
    final BooleanProperty live = new SimpleBooleanProperty(false)
    /** The latest search of the image that is shown; null for none. */
    final ObjectProperty<SearchOutcome> outcome = new SimpleObjectProperty<>()
    /** Counts up with everything that sections show and no other property tells. */
    final DoubleProperty changes = new SimpleDoubleProperty(0)

    void touched() { changes.set(changes.get() + 1) }
}
