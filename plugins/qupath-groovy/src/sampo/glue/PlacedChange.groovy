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

    /** Several steps as one: what was there before the first against what is there after the last. */
    static PlacedChange compose(List<PlacedChange> steps) {
        Map<UUID, PathObject> before = new LinkedHashMap<>(), after = new LinkedHashMap<>()
        int kept = 0, unreadable = 0
        for (PlacedChange step : steps) {
            for (PathObject object : step.removed) if (after.remove(object.ID) == null) before.put(object.ID, object)
            for (PathObject object : step.added) after.put(object.ID, object)
            kept += step.kept
            unreadable += step.unreadable
        }
        return new PlacedChange(after.values().toList(), before.values().toList(), kept, unreadable)
    }

    boolean isEmpty() { return added.isEmpty() && removed.isEmpty() }
}
