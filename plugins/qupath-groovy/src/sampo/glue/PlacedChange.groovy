package sampo.glue

import groovy.transform.CompileStatic
import qupath.lib.objects.PathObject

/** What one step did to the objects of an image. */
@CompileStatic
class PlacedChange {
    /** Objects that this step brought. */
    final List<PathObject> added
    /** Objects that this step took away. */
    final List<PathObject> removed
    /** Objects that stayed because the user has locked or edited them. */
    final int kept
    /** Features that could not be read. */
    final int unreadable

    PlacedChange(List<PathObject> added, List<PathObject> removed, int kept = 0, int unreadable = 0) {
        this.added = added
        this.removed = removed
        this.kept = kept
        this.unreadable = unreadable
    }

    boolean isEmpty() { return added.isEmpty() && removed.isEmpty() }
}
