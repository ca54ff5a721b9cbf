/* SPDX-License-Identifier: Apache-2.0 */
/* volume_private.h - what the parts of the volume list share. */
#pragma once
#include "evidence/volume.h"

/* A place that looks like the start of a file system, with room bytes to the next volume. Returns
 * the first byte behind the volume made of it, or the offset itself where there is none. */
typedef uint64_t (*volume_found)(void *user, uint64_t offset, uint64_t room);
/* Looks through the space outside the volumes. */
void volume_probe_gaps(VolumeSet *set, volume_found found, void *user);

/* Appends the partitions (Volume) of a DOS table that libtsk cannot load. False: there is none. */
bool volume_mbr_parts(Image *image, GArray *parts);
/* A DOS table all of whose entries were deleted. */
bool volume_mbr_is_empty(Image *image);
