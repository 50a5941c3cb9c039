package sampo.glue

import groovy.transform.CompileStatic

/** One thing that `undo` takes back. */
@CompileStatic
class Step {
    /** What it placed in the image and took out of it. */
    final PlacedChange change
    /** Whose last judgement goes with it; null for a step without one. */
    final String judgedIntent
    /** The objects that were judged. */
    final Set<UUID> ids

    Step(PlacedChange change, String judgedIntent = null, Set<UUID> ids = Collections.<UUID>emptySet()) {
        this.change = change
        this.judgedIntent = judgedIntent
        this.ids = ids
    }

    /** What taking it back has done, for a person. */
    String undone() {
        return judgedIntent != null ? 'the judgement was taken back'
            : "${change.added.size()} objects were taken out, ${change.removed.size()} put back" as String
    }
}
