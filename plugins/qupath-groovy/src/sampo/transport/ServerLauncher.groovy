package sampo.transport

import groovy.transform.CompileStatic

import java.util.concurrent.TimeUnit

/** Starts a server where none runs. */
@CompileStatic
class ServerLauncher {
    /** Where the installer noted how to start the server, in the state folder: one word of the command a line. */
    static final String COMMAND_FILE = 'start-command.txt'

    final File stateFolder
    final Map<String, String> environment

    ServerLauncher(File stateFolder, Map<String, String> environment = System.getenv()) {
        this.stateFolder = stateFolder
        this.environment = environment
    }

    /**
     * The command that runs `sampo`, without its verb: as the installer noted it, as SAMPO_COMMAND says, or `sampo` on the
     * PATH. @throws BridgeFault NoServer when there is none of these
     */
    List<String> command() {
        File noted = new File(stateFolder, COMMAND_FILE)
        if (noted.isFile()) {
            List<String> words = noted.readLines('UTF-8').findAll { String word -> !word.isEmpty() }
            if (words && (!words[0].contains(File.separator) || new File(words[0]).canExecute())) return words
        }
        String given = environment.get('SAMPO_COMMAND')
        if (given) return given.trim().split(/\s+/).toList()
        File found = onPath('sampo')
        if (found != null) return [found.path]
        throw new BridgeFault('NoServer', -32060, 'no SAMPO server runs, and the program that starts it was not found',
            'run "sampo plugin install qupath" once, or start it in a terminal with: sampo serve', true)
    }

    /**
     * Starts the server and waits until it can be entered; it goes on when the viewer ends.
     * @return its connection
     * @throws BridgeFault NoServer with the server's own words when it ended at once
     */
    ConnectionInfo start(long seconds = 90) {
        List<String> words = command() + ['serve', '--state', stateFolder.path]
        stateFolder.mkdirs()
        File log = new File(stateFolder, 'server.log')
        Process process
        try {
            ProcessBuilder builder = new ProcessBuilder(words)
            builder.redirectErrorStream(true).redirectOutput(log)
            // Closed at once: the server reads nothing.
            process = builder.start()
            process.outputStream.close()
        } catch (IOException failed) {
            throw new BridgeFault('NoServer', -32060, "the server could not be started: ${failed.message}" as String,
                'start it in a terminal with: sampo serve', true, null, failed)
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds)
        while (System.nanoTime() < end) {
            ConnectionInfo info = current()
            if (info != null) return info
            if (!process.isAlive() && process.exitValue() != 0)
                throw new BridgeFault('NoServer', -32060, "the server ended at once: ${lastLine(log)}" as String,
                    "its log is ${log.path}" as String, true)
            Thread.sleep(100)
        }
        throw new BridgeFault('ServerSilent', -32061, "the server was started but is not ready after $seconds s" as String,
            "its log is ${log.path}" as String, true)
    }

    /** The running server's connection; null while there is none. */
    ConnectionInfo current() {
        try {
            ConnectionInfo info = ConnectionFile.read(stateFolder)
            return info.processRuns() ? info : null
        } catch (BridgeFault ignored) {
            return null
        }
    }

    private File onPath(String name) {
        String path = environment.get('PATH') ?: ''
        boolean windows = File.pathSeparator == ';'
        for (String folder : path.split(File.pathSeparator))
            for (String ending : windows ? ['.cmd', '.exe'] : ['']) {
                File candidate = new File(folder, name + ending)
                if (candidate.isFile() && candidate.canExecute()) return candidate
            }
        return null
    }

    private static String lastLine(File log) {
        List<String> lines = log.isFile() ? log.readLines('UTF-8').findAll { String line -> !line.trim().isEmpty() } : []
        return lines ? lines.last() : 'it said nothing'
    }
}
