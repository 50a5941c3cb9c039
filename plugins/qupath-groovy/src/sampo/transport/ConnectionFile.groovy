package sampo.transport

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import groovy.transform.CompileStatic

/** The file by which a server on this computer is found (docs/connecting.md). */
@CompileStatic
class ConnectionFile {
    /** Where the state folder lies when nobody says otherwise. A relative XDG_STATE_HOME is ignored, as its specification asks. */
    static File stateFolder(Map<String, String> environment, String osName, File home) {
        String given = environment.get('SAMPO_STATE')
        if (given) return new File(given)
        String os = osName.toLowerCase(Locale.ROOT)
        if (os.startsWith('windows')) {
            String local = environment.get('LOCALAPPDATA')
            return new File(local ? new File(local) : new File(home, 'AppData/Local'), 'sampo')
        }
        if (os.startsWith('mac')) return new File(home, 'Library/Application Support/sampo')
        String xdg = environment.get('XDG_STATE_HOME')
        return xdg?.startsWith('/') ? new File(xdg, 'sampo') : new File(home, '.local/state/sampo')
    }

    static File stateFolder() {
        return stateFolder(System.getenv(), System.getProperty('os.name'), new File(System.getProperty('user.home')))
    }

    static File of(File stateFolder) {
        return new File(stateFolder, 'connection.json')
    }

    /** @throws BridgeFault NoServer when the file is missing or damaged */
    static ConnectionInfo read(File stateFolder) {
        File file = of(stateFolder)
        String text
        try {
            text = file.getText('UTF-8')
        } catch (IOException ignored) {
            throw BridgeFault.noServer(file)
        }
        try {
            JsonObject info = JsonParser.parseString(text).asJsonObject
            URI url = new URI(info.get('url').asString).parseServerAuthority()
            if (!(url.scheme in ['ws', 'wss']) || url.host == null || url.port > 65535) throw new IllegalArgumentException('no WebSocket address')
            return new ConnectionInfo(url.toString(), info.get('token').asString, info.get('pid').asLong,
                info.get('protocolVersion').asString)
        } catch (RuntimeException | URISyntaxException ignored) {
            throw BridgeFault.damagedConnectionFile(file)
        }
    }
}
