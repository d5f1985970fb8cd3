"""What may be done to a sound file: download it, read it again, remove it."""

from __future__ import annotations

import shutil
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from secondsticks.footage import bucket, folders, media
from secondsticks.footage.models import Role, SoundFile
from secondsticks.footage.permissions import SignedInRequest, get_sound_file_for
from secondsticks.footage.signals import sound_file_removed
from secondsticks.footage.sound_files import SoundFileState
from secondsticks.footage.tasks import send_ingest
from training.footage.facts import FootageError


@login_required
@require_safe
def source(request: SignedInRequest, uuid: UUID) -> HttpResponseBase:
    """Send the recorder's file, as a download."""
    sound_file = get_sound_file_for(request.user, uuid)
    if bucket.is_in_bucket(sound_file.location):
        key = bucket.key_of(sound_file.location)
        return bucket.send_there(request, key, name=sound_file.name, kind=media.BYTES, download=True)
    try:
        path = folders.checked(sound_file)
    except FootageError:
        raise Http404 from None
    return media.serve(request, path, name=sound_file.name, download=True)


@login_required
@require_POST
def try_again(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Read a refused sound file once more."""
    sound_file = get_sound_file_for(request.user, uuid)
    refused = SoundFile.objects.filter(pk=sound_file.pk, state=SoundFileState.REFUSED)
    fresh = {"failures": 0, "queued_at": Now(), "leased_until": None, "message": ""}
    with transaction.atomic():
        if refused.update(state=SoundFileState.UPLOADED, **fresh):
            transaction.on_commit(lambda: send_ingest(sound_file), robust=True)
    return redirect(sound_file)


@login_required
@require_POST
def remove(request: SignedInRequest, uuid: UUID) -> HttpResponse:
    """Remove a sound file. The file of a server folder stays where it lies."""
    sound_file = get_sound_file_for(request.user, uuid, Role.LEAD)
    folder, page = sound_file.folder, sound_file.get_absolute_url()
    with transaction.atomic():
        sound_file.delete()
        sound_file_removed.send(sender=SoundFile, project=sound_file.project)
        transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
    messages.success(request, f"{sound_file.name} is removed from the project.")
    return redirect(page)
