package qupath.lib.objects.hierarchy.events

import qupath.lib.objects.PathObject

class PathObjectSelectionModel {
    private final Set<PathObject> selected = new LinkedHashSet<>()
    PathObject getSelectedObject() { return selected ? selected.last() : null }
    void setSelectedObject(PathObject object) { selected.clear(); if (object != null) selected << object }
}
