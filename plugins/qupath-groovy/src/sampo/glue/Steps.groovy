package sampo.glue

import groovy.transform.CompileStatic

/** What was done in one image, in order, so that the last of it can be taken back. */
@CompileStatic
class Steps {
    private final List<Step> steps = new ArrayList<>()

    /** A step that changed nothing and judged nothing is not remembered. */
    synchronized void note(Step step) {
        if (!step.change.isEmpty() || step.judgedIntent != null) steps.add(step)
    }

    synchronized boolean isEmpty() { return steps.isEmpty() }

    /** The last step, which is forgotten; null for none. */
    synchronized Step takeLast() { return steps.isEmpty() ? null : steps.remove(steps.size() - 1) }

    /** A step that could not be taken back is the last one again. */
    synchronized void putBack(Step step) { steps.add(step) }
}
