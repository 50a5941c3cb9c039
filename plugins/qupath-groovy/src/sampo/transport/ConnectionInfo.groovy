package sampo.transport

import groovy.transform.CompileStatic

/** How to reach and enter a running server. */
@CompileStatic
class ConnectionInfo {
    final String url
    final String token
    /** Process id of the server. */
    final long pid
    final String protocolVersion

    ConnectionInfo(String url, String token, long pid, String protocolVersion) {
        this.url = url
        this.token = token
        this.pid = pid
        this.protocolVersion = protocolVersion
    }

    boolean processRuns() {
        return ProcessHandle.of(pid).map { ProcessHandle process -> process.isAlive() }.orElse(false)
    }
}
