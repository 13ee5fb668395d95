-- The three songs that moved most in each direction, and up to three songs each that are new or gone.
SELECT movement AS "move", song_name AS "song", from_position AS "from", to_position AS "to"
FROM chart_movers
WHERE playlist_id = ? AND from_date = ? AND to_date = ? AND movement <> 'same'
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY movement
    ORDER BY ABS(places_up) DESC, COALESCE(to_position, from_position) ASC
) <= 3
ORDER BY
    DECODE(movement, 'up', 1, 'down', 2, 'new', 3, 4) ASC,
    ABS(places_up) DESC,
    COALESCE(to_position, from_position) ASC
