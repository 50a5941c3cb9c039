package sampo.transport

import groovy.transform.CompileStatic

/** What comes in over a MessageSocket; called on one thread, one message after another. */
@CompileStatic
interface MessageListener {
    void onText(String message)

    /** Once, last. 1006: the connection broke. */
    void onClosed(int code, String reason)
}
