"""What just happened: announcements, from an editor's request to the browsers of everybody who is reading.

An editor's request goes ``api`` → ``validation`` → ``log`` (``lifecycle``, then one script in the store); what the log
then holds goes ``feed`` → ``view`` → the hub, in every worker alike. Browsers that connect are greeted by ``greeting``.
The browser half, in ``browser/``, merges what it hears by the rules of ``merge``.
"""
