package support

import sampo.transport.ConnectionFile

/** A real server of its own state folder, started and ended by a test. */
class TestServer {
    static final File ROOT = new File(System.getenv('SAMPO_TEST_ROOT') ?: '.')
    static final File SCRATCH = new File(System.getenv('SAMPO_TEST_SCRATCH') ?: System.getProperty('java.io.tmpdir'))
    private static int count = 0

    final File state
    Process process

    TestServer(File state = folder('state')) {
        this.state = state
        start()
    }

    static File folder(String name) {
        File made = new File(SCRATCH, "$name-${++count}")
        made.mkdirs()
        return made
    }

    /** The command without its verb. */
    static List<String> command() {
        return [System.getenv('SAMPO_TEST_NODE') ?: 'node', new File(ROOT, 'dist/main.js').path]
    }

    void start() {
        def builder = new ProcessBuilder(command() + ['serve', '--state', state.path, '--json'])
        builder.redirectError(new File(state, 'errors.log'))
        process = builder.start()
        process.inputStream.newReader('UTF-8').readLine()
        if (!ConnectionFile.of(state).isFile()) throw new IllegalStateException(new File(state, 'errors.log').text)
    }

    /** As a crash ends it: no goodbye, the connection file stays. */
    void kill() {
        process.destroyForcibly().waitFor()
    }

    void stop() {
        process.destroy()
        process.waitFor()
    }
}
