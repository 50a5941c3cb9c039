package sampo.transport

/** What a connection is doing. */
enum BridgeState {
    /** Not connected, and not trying. */
    OFFLINE,
    CONNECTING,
    CONNECTED,
    /** The connection broke; another is tried again and again. */
    RECONNECTING,
    /** `close` was called. */
    CLOSED
}
