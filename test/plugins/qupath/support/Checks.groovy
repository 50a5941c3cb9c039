package support

import com.google.gson.JsonObject

import java.util.concurrent.TimeUnit

/** The smallest test runner: one line of JSON for each test, into the file that the caller of the suite reads. */
class Checks {
    private static final File OUT = new File(System.getenv('SAMPO_TEST_OUT') ?: 'results.jsonl')
    private static final String ONLY = System.getenv('SAMPO_TEST_ONLY') ?: ''
    static int failed = 0

    static void test(String name, Closure<?> body) {
        if (ONLY && !name.contains(ONLY)) return
        long start = System.nanoTime()
        JsonObject line = new JsonObject()
        line.addProperty('name', name)
        try {
            body.call()
            line.addProperty('ok', true)
        } catch (Throwable broken) {
            failed++
            line.addProperty('ok', false)
            line.addProperty('error', described(broken))
        }
        println "${line.get('ok').asBoolean ? 'ok' : 'FAILED'} $name (${(System.nanoTime() - start).intdiv(1000000)} ms)"
        OUT << line.toString() + '\n'
    }

    /** What `body` throws, which must be of the type. */
    static <T extends Throwable> T fails(Class<T> type, Closure<?> body) {
        try {
            body.call()
        } catch (Throwable thrown) {
            if (type.isInstance(thrown)) return (T) thrown
            throw thrown
        }
        throw new AssertionError("nothing was thrown, wanted ${type.simpleName}" as Object)
    }

    /** Waits until `condition` holds; ends the test when it does not within a minute. */
    static void eventually(String what, Closure<Boolean> condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (!condition.call()) {
            if (System.nanoTime() > end) throw new AssertionError("never happened: $what" as Object)
            Thread.sleep(20)
        }
    }

    static void end() {
        System.out.flush()
        // Threads of a client under test may still be about.
        Runtime.runtime.halt(0)
    }

    private static String described(Throwable broken) {
        def where = broken.stackTrace.find { it.fileName?.endsWith('.groovy') && it.fileName != 'Checks.groovy' }
        String said = broken.toString()
        if (said.length() > 1500) said = said.substring(0, 1500) + ' ...'
        return "$said${where ? " at ${where.fileName}:${where.lineNumber}" : ''}"
    }
}
