package qupath.lib.objects.hierarchy.events

class PathObjectHierarchyEvent {}
